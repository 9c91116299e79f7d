{{/* Values that contradict each other end here, each with a sentence that says what to do. */}}
{{- define "rtms.refusals" -}}
{{- $kafka := .Values.config.kafka -}}
{{- $refs := .Values.secretRefs -}}
{{- $why := list -}}
{{- range $group, $settings := $refs -}}
{{- range $name, $ref := $settings -}}
{{- if and $ref.existingSecret (index ($.Values.config | dig $group dict) $name) -}}
{{- $why = append $why (printf "config.%s.%s and secretRefs.%s.%s both say what it is: keep one" $group $name $group $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $group, $settings := .Values.config -}}
{{- range $name, $value := $settings -}}
{{- $isAddress := and (or (hasSuffix "url" $name) (eq $name "endpoint")) (ne (print $group "." $name) "objects.url") -}}
{{- if and $isAddress $value (not (regexMatch "^https?://[^/@\\s]+(/\\S*)?$" $value)) -}}
{{- $why = append $why (printf "config.%s.%s is no address: make it http(s)://host:port, without a name and password in it" $group $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $kafka.bootstrap_servers -}}
{{- $why = append $why "config.kafka.bootstrap_servers is empty: name your brokers, host:port,host:port" -}}
{{- else -}}
{{- range splitList "," $kafka.bootstrap_servers -}}
{{- if not (regexMatch "^([^\\s:/]+|\\[[0-9a-fA-F:]+\\]):[0-9]+$" (trim .)) -}}
{{- $why = append $why (printf "config.kafka.bootstrap_servers has %q, which is no broker: make each host:port" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not $kafka.registry_url -}}
{{- $why = append $why "config.kafka.registry_url is empty: name your schema registry, http(s)://host:port" -}}
{{- end -}}
{{- if not .Values.config.clickhouse.url -}}
{{- $why = append $why "config.clickhouse.url is empty: name ClickHouse's HTTP interface, http(s)://host:port" -}}
{{- end -}}
{{- range $needed := list (list "secrets" "keys" "the Fernet keys that projects' credentials are encrypted with") (list "api" "admin_token" "the token that opens the control plane") -}}
{{- $ref := $refs | dig (index $needed 0) (index $needed 1) "existingSecret" "" -}}
{{- if not $ref -}}
{{- $why = append $why (printf "secretRefs.%s.%s.existingSecret is empty: put %s into a Secret and name it" (index $needed 0) (index $needed 1) (index $needed 2)) -}}
{{- end -}}
{{- end -}}
{{- $protocol := $kafka.security_protocol | default "PLAINTEXT" -}}
{{- $mechanism := $kafka.sasl_mechanism | default "" -}}
{{- if and (hasPrefix "SASL" $protocol) (not $mechanism) -}}
{{- $why = append $why (printf "config.kafka.security_protocol is %s: set config.kafka.sasl_mechanism" $protocol) -}}
{{- end -}}
{{- if and $mechanism (not (hasPrefix "SASL" $protocol)) -}}
{{- $why = append $why "config.kafka.sasl_mechanism is set: set config.kafka.security_protocol to SASL_SSL (or SASL_PLAINTEXT)" -}}
{{- end -}}
{{- if and (not (hasPrefix "SASL" $protocol)) ($refs | dig "kafka" "sasl_password" "existingSecret" "") -}}
{{- $why = append $why (printf "secretRefs.kafka.sasl_password is named, but config.kafka.security_protocol is %s: set it to SASL_SSL, or name none" $protocol) -}}
{{- end -}}
{{- if or (eq $mechanism "PLAIN") (hasPrefix "SCRAM" $mechanism) -}}
{{- if not ($refs | dig "kafka" "sasl_password" "existingSecret" "") -}}
{{- $why = append $why (printf "config.kafka.sasl_mechanism is %s: name the password's Secret in secretRefs.kafka.sasl_password" $mechanism) -}}
{{- end -}}
{{- if not (or $kafka.sasl_username ($refs | dig "kafka" "sasl_username" "existingSecret" "")) -}}
{{- $why = append $why (printf "config.kafka.sasl_mechanism is %s: set config.kafka.sasl_username or secretRefs.kafka.sasl_username" $mechanism) -}}
{{- end -}}
{{- end -}}
{{- if eq $mechanism "OAUTHBEARER" -}}
{{- if not (and $kafka.oauth_token_url (or $kafka.oauth_client_id ($refs | dig "kafka" "oauth_client_id" "existingSecret" "")) ($refs | dig "kafka" "oauth_client_secret" "existingSecret" "")) -}}
{{- $why = append $why "config.kafka.sasl_mechanism is OAUTHBEARER: set config.kafka.oauth_token_url, oauth_client_id and secretRefs.kafka.oauth_client_secret" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.tls.kafka.existingSecret (not (hasSuffix "SSL" $protocol)) -}}
{{- $why = append $why (printf "tls.kafka names certificates, but config.kafka.security_protocol is %s: set it to SSL or SASL_SSL" $protocol) -}}
{{- end -}}
{{- if and (or .Values.tls.kafka.certificateKey .Values.tls.kafka.privateKeyKey) (not .Values.tls.kafka.existingSecret) -}}
{{- $why = append $why "tls.kafka has keys of a Secret, but no Secret: name it in tls.kafka.existingSecret" -}}
{{- end -}}
{{- if and .Values.tls.registry.existingSecret (not (hasPrefix "https://" $kafka.registry_url)) -}}
{{- $why = append $why "tls.registry names an authority, but config.kafka.registry_url is not https://: change one of them" -}}
{{- end -}}
{{- if and .Values.tls.oauth.existingSecret (ne $mechanism "OAUTHBEARER") -}}
{{- $why = append $why "tls.oauth names an authority, but config.kafka.sasl_mechanism is not OAUTHBEARER: change one of them" -}}
{{- end -}}
{{- if and .Values.tls.clickhouse.existingSecret (not (hasPrefix "https://" .Values.config.clickhouse.url)) -}}
{{- $why = append $why "tls.clickhouse names an authority, but config.clickhouse.url is not https://: change one of them" -}}
{{- end -}}
{{- if and .Values.tls.objects.existingSecret (not (hasPrefix "https://" (.Values.config.objects.endpoint | default ""))) -}}
{{- $why = append $why "tls.objects names an authority, but config.objects.endpoint is not https://: change one of them" -}}
{{- end -}}
{{- if ne (empty .Values.tls.kafka.certificateKey) (empty .Values.tls.kafka.privateKeyKey) -}}
{{- $why = append $why "mutual TLS needs both tls.kafka.certificateKey and tls.kafka.privateKeyKey" -}}
{{- end -}}
{{- $replication := int ($kafka.replication_factor | default 1) -}}
{{- if gt (int ($kafka.min_insync_replicas | default 1)) $replication -}}
{{- $why = append $why "config.kafka.min_insync_replicas is more than replication_factor, so nothing could ever be written: lower it" -}}
{{- end -}}
{{- $objects := .Values.config.objects -}}
{{- if not $objects.url -}}
{{- $why = append $why "config.objects.url is empty: name your bucket, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix" -}}
{{- else if not (regexMatch "^(file:///|(s3|gs|az)://[^/])" $objects.url) -}}
{{- $why = append $why "config.objects.url is none of s3://bucket/prefix, gs://bucket/prefix, az://container/prefix and file:///folder: correct it" -}}
{{- else if hasPrefix "file://" $objects.url -}}
{{- if not .Values.objectsVolume.existingClaim -}}
{{- $why = append $why "config.objects.url is a folder: name a volume that all pods share in objectsVolume.existingClaim, or use a bucket" -}}
{{- end -}}
{{- if not ($refs | dig "objects" "signing_key" "existingSecret" "") -}}
{{- $why = append $why "config.objects.url is a folder: name the key that signs its links in secretRefs.objects.signing_key" -}}
{{- end -}}
{{- else if .Values.objectsVolume.existingClaim -}}
{{- $why = append $why "objectsVolume.existingClaim is set, but config.objects.url is a bucket: remove one of them" -}}
{{- end -}}
{{- range $scheme, $names := dict "s3" (list "access_key_id" "secret_access_key") "gs" (list "service_account_key") "az" (list "account" "account_key") -}}
{{- range $name := $names -}}
{{- if and (or (index $objects $name) ($refs | dig "objects" $name "existingSecret" "")) (not (hasPrefix $scheme $objects.url)) -}}
{{- $why = append $why (printf "objects.%s is for %s://, but config.objects.url is not: remove one of them" $name $scheme) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (hasPrefix "az://" $objects.url) (not $objects.account) (not ($refs | dig "objects" "account" "existingSecret" "")) -}}
{{- $why = append $why "config.objects.url is a container: name the storage account that holds it in config.objects.account" -}}
{{- end -}}
{{- if ne (empty ($objects.access_key_id)) (empty ($refs | dig "objects" "secret_access_key" "existingSecret" "")) -}}
{{- if not ($refs | dig "objects" "access_key_id" "existingSecret" "") -}}
{{- $why = append $why "object storage needs both config.objects.access_key_id and secretRefs.objects.secret_access_key, or neither for the pod's own identity" -}}
{{- end -}}
{{- end -}}
{{- $partitions := int ($kafka.partitions | default 64) -}}
{{- $variables := .Files.Get "files/variables.yaml" | fromYamlArray -}}
{{- $grace := .Values.config.api.shutdown_grace_s -}}
{{- range $name, $context := include "rtms.contexts" . | fromYaml -}}
{{- $scaling := $context.values.autoscaling -}}
{{- $isForAll := not (index $.Values.workloads $name | dig "extraEnv" list) -}}
{{- range $context.values.extraEnv -}}
{{- $isKnownLater := or .valueFrom (contains "$(" (.value | default "")) -}}
{{- if and (hasPrefix "RTMS_" .name) (or (not (has .name $variables)) (and $isForAll (not $isKnownLater))) -}}
{{- $why = append $why (printf "extraEnv has %s: settings have their places in config and secretRefs" .name) -}}
{{- end -}}
{{- end -}}
{{- $needed := 0.0 -}}
{{- if $context.facts.http -}}
{{- $needed = addf $context.values.preStopSeconds (kindIs "invalid" $grace | ternary 5 $grace) -}}
{{- else if eq $name "ingest" -}}
{{- $needed = $.Values.config.ingest.hand_over_s | default 2.5 -}}
{{- end -}}
{{- if le (float64 $context.values.terminationGracePeriodSeconds) (float64 $needed) -}}
{{- $why = append $why (printf "workloads.%s.terminationGracePeriodSeconds is not longer than the %v s that it takes to leave: raise it" $name $needed) -}}
{{- end -}}
{{- if and $context.facts.consumes (gt (int $context.values.replicas) $partitions) -}}
{{- $why = append $why (printf "workloads.%s.replicas is more than config.kafka.partitions (%d), so the rest would idle: lower it" $name $partitions) -}}
{{- end -}}
{{- if $scaling.enabled -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- $why = append $why (printf "workloads.%s.autoscaling.minReplicas is more than maxReplicas: lower it" $name) -}}
{{- end -}}
{{- if and $context.facts.consumes (gt (int $scaling.maxReplicas) $partitions) -}}
{{- $why = append $why (printf "workloads.%s.autoscaling.maxReplicas is more than config.kafka.partitions (%d), so the rest would idle: lower it" $name $partitions) -}}
{{- end -}}
{{- if and $context.facts.scalesOn (eq $.Values.autoscaler.kind "keda") (not $.Values.autoscaler.prometheusAddress) -}}
{{- $why = append $why (printf "%s scales on %s, which Prometheus knows: name yours in autoscaler.prometheusAddress" $name $context.facts.scalesOn) -}}
{{- end -}}
{{- if and (hasPrefix "SASL" $protocol) (eq $.Values.autoscaler.kind "keda") (not $context.facts.http) (not $context.facts.scalesOn) (not $.Values.autoscaler.kafkaAuthentication) -}}
{{- $why = append $why (printf "workloads.%s scales on lag, and Kafka wants SASL: name a TriggerAuthentication in autoscaler.kafkaAuthentication" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $isDrawn := index .Values.workloads "processor-composing" | dig "enabled" .Values.defaults.enabled -}}
{{- if ne (not $isDrawn) (not .Values.config.api.composed_views) -}}
{{- $why = append $why "composed views need both workloads.processor-composing.enabled and config.api.composed_views: set both or neither" -}}
{{- end -}}
{{- if and (or .Values.strimzi.topics .Values.strimzi.user) (not .Values.strimzi.cluster) -}}
{{- $why = append $why "strimzi.cluster is empty: name the Kafka resource that topics and user belong to" -}}
{{- end -}}
{{- if and .Values.strimzi.user (ne $mechanism "SCRAM-SHA-512") (or $mechanism (not .Values.tls.kafka.certificateKey)) -}}
{{- $why = append $why "strimzi.user needs SCRAM-SHA-512 (config.kafka.sasl_mechanism) or mutual TLS (tls.kafka.certificateKey)" -}}
{{- end -}}
{{- if and (or .Values.ingress.enabled .Values.gateway.enabled) (not (index (include "rtms.contexts" . | fromYaml) "api")) -}}
{{- $why = append $why "ingress or gateway is enabled, but workloads.api is not: there is nothing to lead to" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- $why = append $why "ingress.enabled needs ingress.host" -}}
{{- end -}}
{{- if and .Values.gateway.enabled (not .Values.gateway.parentRefs) -}}
{{- $why = append $why "gateway.enabled needs gateway.parentRefs: name your Gateway" -}}
{{- end -}}
{{- if $why -}}
{{- fail (printf "\n  - %s" (join "\n  - " (uniq $why))) -}}
{{- end -}}
{{- end -}}
