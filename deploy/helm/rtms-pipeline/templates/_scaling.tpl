{{/* Slow up, slower down: every change of members moves partitions, at ingest even live meetings. */}}
{{- define "rtms.scalingBehavior" -}}
{{- $isIngest := eq .name "ingest" -}}
scaleUp:
  stabilizationWindowSeconds: {{ ternary 600 60 $isIngest }}
  policies: [{type: Pods, value: {{ ternary 1 2 $isIngest }}, periodSeconds: {{ ternary 600 60 $isIngest }}}]
scaleDown:
  {{- if and $isIngest (not .values.autoscaling.scaleDownMovesMeetings) }}
  selectPolicy: Disabled
  {{- else }}
  stabilizationWindowSeconds: {{ ternary 3600 600 $isIngest }}
  policies: [{type: Pods, value: 1, periodSeconds: {{ ternary 1800 300 $isIngest }}}]
  {{- end }}
{{- end -}}

{{/* A group's whole id: some workloads take a prefix from their settings. */}}
{{- define "rtms.consumerGroup" -}}
{{- $prefix := "" -}}
{{- range $settings := $.context.facts.settings -}}
{{- $prefix = $.context.root.Values.config | dig $settings "group_prefix" "" | default $prefix -}}
{{- end -}}
{{- printf "%s%s" $prefix .group -}}
{{- end -}}
