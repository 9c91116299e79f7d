{{/*
Everything about every enabled workload, as YAML by name: facts (files/workloads.yaml), fixed (files/fixed.yaml) and
values (its own over the defaults). Whoever ranges over it adds root and name.
*/}}
{{- define "rtms.contexts" -}}
{{- $facts := .Files.Get "files/workloads.yaml" | fromYaml -}}
{{- $fixed := .Files.Get "files/fixed.yaml" | fromYaml -}}
{{- $contexts := dict -}}
{{- range $name, $own := .Values.workloads -}}
{{- $values := mergeOverwrite (deepCopy $.Values.defaults) $own -}}
{{- if $values.enabled -}}
{{- $_ := set $contexts $name (dict "name" $name "facts" (index $facts $name) "fixed" $fixed "values" $values) -}}
{{- end -}}
{{- end -}}
{{- toYaml $contexts -}}
{{- end -}}

{{/* The pod of a hook (`name` in files/workloads.yaml), in the same shape. */}}
{{- define "rtms.hookContext" -}}
{{- $facts := .root.Files.Get "files/workloads.yaml" | fromYaml -}}
{{- $fixed := .root.Files.Get "files/fixed.yaml" | fromYaml -}}
{{- $values := mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy .root.Values.setup) -}}
{{- toYaml (dict "name" .name "facts" (index $facts .name) "fixed" $fixed "values" $values) -}}
{{- end -}}
