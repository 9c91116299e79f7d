{{/* The port of a URL, said or implied. */}}
{{- define "rtms.urlPort" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- if $port -}}{{ $port }}{{- else if eq $url.scheme "https" -}}443{{- else -}}80{{- end -}}
{{- end -}}

{{/* The ports at which one outside system is reached, as a YAML list: said in the values, else read off its address. */}}
{{- define "rtms.egressPorts" -}}
{{- $config := .root.Values.config -}}
{{- $ports := list -}}
{{- if eq .target "kafka" -}}
{{- range splitList "," $config.kafka.bootstrap_servers -}}
{{- $ports = append $ports (regexFind "[0-9]+$" .) -}}
{{- end -}}
{{- else if eq .target "registry" -}}
{{- $ports = append $ports (include "rtms.urlPort" $config.kafka.registry_url) -}}
{{- else if eq .target "oauth" -}}
{{- if $config.kafka.oauth_token_url -}}
{{- $ports = append $ports (include "rtms.urlPort" $config.kafka.oauth_token_url) -}}
{{- end -}}
{{- else if eq .target "zoom_oauth" -}}
{{- with $config.zoom.oauth_url -}}
{{- $ports = append $ports (include "rtms.urlPort" .) -}}
{{- end -}}
{{- else if eq .target "otel" -}}
{{- with $config.otel.endpoint -}}
{{- $ports = append $ports (include "rtms.urlPort" .) -}}
{{- end -}}
{{- else if eq .target "clickhouse" -}}
{{- $port := include "rtms.urlPort" $config.clickhouse.url -}}
{{- $ports = append $ports (get (dict "443" "8443" "80" "8123") $port | default $port) -}}
{{- else if eq .target "objects" -}}
{{- if not (hasPrefix "file://" $config.objects.url) -}}
{{- $ports = append $ports (include "rtms.urlPort" ($config.objects.endpoint | default "https://storage")) -}}
{{- end -}}
{{- else if eq .target "speech" -}}
{{- /* Any project may have a key of its own for the public services. */ -}}
{{- range $service := list "openai" "deepgram" -}}
{{- $ports = append $ports (include "rtms.urlPort" (get $config.transcription (printf "%s_base_url" $service) | default "https://public")) -}}
{{- end -}}
{{- with $config.custom_async.url -}}
{{- $ports = append $ports (include "rtms.urlPort" .) -}}
{{- end -}}
{{- else if eq .target "api" -}}
{{- $ports = append $ports "http" -}}
{{- else -}}
{{- $ports = append $ports "443" -}}
{{- end -}}
{{- $said := .root.Values.networkPolicy.egress | dig .target "ports" list -}}
{{- toYaml (default (uniq $ports) $said) -}}
{{- end -}}

{{/* Nothing in but probes, metrics, requests and peers; nothing out but names, peers and what this workload talks to. */}}
{{- define "rtms.networkPolicy" -}}
{{- $policy := .root.Values.networkPolicy -}}
podSelector:
  matchLabels: {{- include "rtms.selector" . | nindent 4 }}
policyTypes: [Ingress, Egress]
{{- if has "health" .facts.settings }}
ingress:
  - ports:
      - port: health
    {{- with $policy.metricsFrom }}
    from: {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- if .facts.peers }}
  - ports:
      - port: health
    from:
      - podSelector:
          matchLabels: {{- include "rtms.selector" . | nindent 12 }}
  {{- end }}
  {{- if .facts.http }}
  - ports:
      - port: http
    {{- with $policy.requestsFrom }}
    from: {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- end }}
{{- end }}
egress:
  - ports:
      - {port: 53, protocol: UDP}
      - {port: 53, protocol: TCP}
  {{- if .facts.peers }}
  # its own pods
  - ports:
      - port: health
    to:
      - podSelector:
          matchLabels: {{- include "rtms.selector" . | nindent 12 }}
  {{- end }}
  {{- range $target := .facts.egress }}
  {{- $ports := include "rtms.egressPorts" (dict "root" $.root "target" $target) | fromYamlArray }}
  {{- if $ports }}
  # {{ $target }}
  - ports:
      {{- range $ports }}
      - port: {{ . }}
      {{- end }}
    {{- with $policy.egress | dig $target "to" list }}
    to: {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- end }}
  {{- end }}
  {{- with $policy.extraEgress }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
