{{/* Every topic as the values want it: name, partitions, replicas, config. */}}
{{- define "rtms.topics" -}}
{{- $kafka := .Values.config.kafka -}}
{{- $replicas := int ($kafka.replication_factor | default 1) -}}
{{- $insync := int ($kafka.min_insync_replicas | default (max 1 (sub $replicas 1))) -}}
{{- $topics := list -}}
{{- range $topic := .Files.Get "files/topics.yaml" | fromYamlArray -}}
{{- $config := set $topic.config "min.insync.replicas" (toString $insync) -}}
{{- if and $topic.media $kafka.media_retention_ms -}}
{{- $retention := int64 $kafka.media_retention_ms -}}
{{- $config = set $config "retention.ms" (toString $retention) -}}
{{- $config = set $config "segment.ms" (toString (min 3600000 (div $retention 2))) -}}
{{- end -}}
{{- $partitions := ternary (int ($kafka.partitions | default 64)) 1 $topic.perSession -}}
{{- $topics = append $topics (dict "name" $topic.name "partitions" $partitions "replicas" $replicas "config" $config) -}}
{{- end -}}
{{- toYaml $topics -}}
{{- end -}}
