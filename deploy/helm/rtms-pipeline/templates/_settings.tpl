{{/* Helm reads whole numbers as floats, which print as 6.7108864e+07. */}}
{{- define "rtms.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/* The settings of one workload that are no secrets, as the data of a ConfigMap. */}}
{{- define "rtms.settings" -}}
{{- range $group := .facts.settings }}
{{- $said := index $.root.Values.config $group }}
{{- with and (eq $group "api") (include "rtms.publicUrl" $.root) }}
{{- $said = set (deepCopy $said) "public_url" . }}
{{- end }}
{{- range $name, $value := $said }}
{{- if not (kindIs "invalid" $value) }}
RTMS_{{ upper $group }}_{{ upper $name }}: {{ include "rtms.text" $value | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* How clients reach the API: as it is said, else by the ingress or the gateway; empty when nobody knows, as where they
take every host of a domain. */}}
{{- define "rtms.publicUrl" -}}
{{- $ingress := .Values.ingress -}}
{{- $hosts := list -}}
{{- if .Values.gateway.enabled -}}
{{- range .Values.gateway.hostnames -}}
{{- if not (hasPrefix "*" .) -}}{{- $hosts = append $hosts . -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.config.api.public_url -}}
{{- .Values.config.api.public_url -}}
{{- else if and $ingress.enabled $ingress.host (not (hasPrefix "*" $ingress.host)) -}}
{{- printf "%s://%s" (empty $ingress.tlsSecret | ternary "http" "https") $ingress.host -}}
{{- else if $hosts -}}
{{- printf "https://%s" (first $hosts) -}}
{{- end -}}
{{- end -}}

{{/* What comes from Secrets that exist: `- name, valueFrom`. */}}
{{- define "rtms.secretSettings" -}}
{{- range $group := .facts.settings }}
{{- range $name, $ref := (index $.root.Values.secretRefs $group | default dict) }}
{{- if $ref.existingSecret }}
- name: RTMS_{{ upper $group }}_{{ upper $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $ref.existingSecret }}
      key: {{ $ref.key }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The volumes with certificates that a workload needs: name, Secret and which setting names which of its keys. */}}
{{- define "rtms.certificates" -}}
{{- $tls := .root.Values.tls -}}
{{- $found := list -}}
{{- if $tls.kafka.existingSecret -}}
{{- $files := dict "RTMS_KAFKA_SSL_CA_LOCATION" $tls.kafka.caKey "RTMS_KAFKA_SSL_CERTIFICATE_LOCATION" $tls.kafka.certificateKey "RTMS_KAFKA_SSL_KEY_LOCATION" $tls.kafka.privateKeyKey -}}
{{- $found = append $found (dict "name" "kafka" "secret" $tls.kafka.existingSecret "files" $files) -}}
{{- end -}}
{{- if $tls.registry.existingSecret -}}
{{- $found = append $found (dict "name" "registry" "secret" $tls.registry.existingSecret "files" (dict "RTMS_KAFKA_REGISTRY_CA_LOCATION" $tls.registry.caKey)) -}}
{{- end -}}
{{- if $tls.oauth.existingSecret -}}
{{- $found = append $found (dict "name" "oauth" "secret" $tls.oauth.existingSecret "files" (dict "RTMS_KAFKA_OAUTH_CA_LOCATION" $tls.oauth.caKey)) -}}
{{- end -}}
{{- range $group := list "clickhouse" "objects" -}}
{{- $secret := index $tls $group -}}
{{- if and $secret.existingSecret (has $group $.facts.settings) -}}
{{- $found = append $found (dict "name" $group "secret" $secret.existingSecret "files" (dict (printf "RTMS_%s_CA_LOCATION" (upper $group)) $secret.caKey)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* The environment of a container of one workload, beside its ConfigMap. */}}
{{- define "rtms.environment" -}}
{{- $fixed := .fixed -}}
- name: RTMS_KAFKA_CLIENT_ID
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- range .facts.identity }}
- name: {{ . }}
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- end }}
{{- with .facts.peers }}
- name: {{ . }}
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end }}
{{- if has "health" .facts.settings }}
{{- range $name, $value := $fixed.environment }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if .facts.http }}
{{- range $name, $value := $fixed.http }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if .facts.scratch }}
- name: RTMS_SINK_OBJECTS_SCRATCH_DIR
  value: {{ $fixed.scratch }}
{{- end }}
{{- range include "rtms.certificates" . | fromYamlArray }}
{{- $place := printf "%s/%s" $fixed.certificates .name }}
{{- range $variable, $key := .files }}
{{- if $key }}
- name: {{ $variable }}
  value: {{ printf "%s/%s" $place $key }}
{{- end }}
{{- end }}
{{- end }}
{{- include "rtms.secretSettings" . }}
{{- with .values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
