{{- define "rtms.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "rtms.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "rtms.volumes" -}}
- name: tmp
  emptyDir: {}
{{- if .facts.scratch }}
- name: scratch
  {{- toYaml (.root.Values.scratchVolume | default (dict "emptyDir" (dict "sizeLimit" "20Gi"))) | nindent 2 }}
{{- end }}
{{- range include "rtms.certificates" . | fromYamlArray }}
- name: {{ .name }}-certificates
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
{{- end }}
{{- if and (has "objects" .facts.settings) .root.Values.objectsVolume.existingClaim }}
- name: objects
  persistentVolumeClaim:
    claimName: {{ .root.Values.objectsVolume.existingClaim }}
{{- end }}
{{- with .values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "rtms.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .facts.scratch }}
- name: scratch
  mountPath: {{ .fixed.scratch }}
{{- end }}
{{- $fixed := .fixed }}
{{- range include "rtms.certificates" . | fromYamlArray }}
- name: {{ .name }}-certificates
  mountPath: {{ $fixed.certificates }}/{{ .name }}
  readOnly: true
{{- end }}
{{- if and (has "objects" .facts.settings) .root.Values.objectsVolume.existingClaim }}
- name: objects
  mountPath: {{ trimPrefix "file://" .root.Values.config.objects.url }}
{{- end }}
{{- with .values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* One container: `args` is what `python -m` (or another `command`) runs. */}}
{{- define "rtms.container" -}}
image: {{ include "rtms.image" .root }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
command: {{ toJson (.command | default (list "python" "-m")) }}
args: {{ toJson .args }}
envFrom:
  - configMapRef:
      name: {{ include "rtms.fullname" .root }}-{{ .name }}
env:
  {{- include "rtms.environment" . | nindent 2 }}
resources: {{- toYaml .values.resources | nindent 2 }}
securityContext: {{- include "rtms.containerSecurity" . | nindent 2 }}
volumeMounts: {{- include "rtms.volumeMounts" . | nindent 2 }}
{{- end -}}

{{/* What every pod has, whatever runs in it. */}}
{{- define "rtms.podSettings" -}}
serviceAccountName: {{ include "rtms.fullname" .root }}-{{ .name }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- include "rtms.podSecurity" . | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
volumes: {{- include "rtms.volumes" . | nindent 2 }}
{{- end -}}

{{/* The pod template of a workload that runs for good. */}}
{{- define "rtms.podTemplate" -}}
metadata:
  # No versions: a new chart alone restarts nobody.
  labels: {{- include "rtms.selector" . | nindent 4 }}
    {{- with .values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "rtms.settings" . | sha256sum }}
    {{- with .values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "rtms.podSettings" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
  {{- if .values.spread }}
  topologySpreadConstraints:
    {{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: ScheduleAnyway
      matchLabelKeys: [{{ ternary "pod-template-hash" "controller-revision-hash" (eq $.facts.kind "Deployment") }}]
      labelSelector:
        matchLabels: {{- include "rtms.selector" $ | nindent 10 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ .name }}
      {{- include "rtms.container" (mustMerge (dict "args" .facts.args) .) | nindent 6 }}
      ports:
        - name: health
          containerPort: {{ .fixed.ports.health }}
        {{- if .facts.http }}
        - name: http
          containerPort: {{ .fixed.ports.http }}
        {{- end }}
      # Started: it answers and is content once. It waits for Kafka by itself, so there is time.
      startupProbe:
        httpGet: {path: /livez, port: health}
        periodSeconds: 2
        failureThreshold: 30
      # Alive: the working loop got round lately. An outage of Kafka or a store is no reason to restart anybody.
      livenessProbe:
        httpGet: {path: /livez, port: health}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      # Ready: it has its share of the work, or says why not.
      readinessProbe:
        httpGet: {path: /readyz, port: health}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      {{- if .facts.http }}
      # Requests go on arriving for a moment after the pod was taken from its Service.
      lifecycle:
        preStop:
          sleep: {seconds: {{ .values.preStopSeconds }}}
      {{- end }}
{{- end -}}
