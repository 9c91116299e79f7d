{{/*
What the pod of a hook needs before it starts, as hooks of the same kind: account, settings, network. The annotations
are `hook` of the context.
*/}}
{{- define "rtms.hookAnnotations" -}}
helm.sh/hook: {{ .hook }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "rtms.hookNeeds" -}}
{{- $full := printf "%s-%s" (include "rtms.fullname" .root) .name -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $full }}
  labels: {{- include "rtms.labels" . | nindent 4 }}
  annotations:
    {{- include "rtms.hookAnnotations" . | nindent 4 }}
    helm.sh/hook-weight: "-20"
    {{- with .values.serviceAccountAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $full }}
  labels: {{- include "rtms.labels" . | nindent 4 }}
  annotations:
    {{- include "rtms.hookAnnotations" . | nindent 4 }}
    helm.sh/hook-weight: "-20"
data: {{- include "rtms.settings" . | nindent 2 }}
{{- if .root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $full }}
  labels: {{- include "rtms.labels" . | nindent 4 }}
  annotations:
    {{- include "rtms.hookAnnotations" . | nindent 4 }}
    helm.sh/hook-weight: "-20"
spec: {{- include "rtms.networkPolicy" . | nindent 2 }}
{{- end }}
{{- end -}}
