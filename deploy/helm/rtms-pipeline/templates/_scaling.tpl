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

{{- define "rtms.consumerGroup" -}}
{{- $prefix := "" -}}
{{- if has "processors" .facts.settings -}}
{{- $prefix = .root.Values.config.processors.group_prefix | default "" -}}
{{- else if eq .name "sink-objects" -}}
{{- $prefix = .root.Values.config.sink_objects.group_prefix | default "" -}}
{{- end -}}
{{- printf "%s%s" $prefix .facts.consumerGroup -}}
{{- end -}}
