{{/* What the schema cannot say. Each message names the value and the remedy. */}}
{{- define "kafka-backup-operator.checks" -}}
{{- if and (eq .Values.watch.scope "Namespaces") (not .Values.watch.namespaces) }}
{{- fail "watch.namespaces: name at least one namespace, or set watch.scope to AllNamespaces or OwnNamespace" }}
{{- end }}
{{- if and (ne .Values.watch.scope "Namespaces") .Values.watch.namespaces }}
{{- fail (printf "watch.namespaces: watch.scope %s does not use it: set watch.scope to Namespaces, or remove the namespaces" .Values.watch.scope) }}
{{- end }}
{{- range $arg := .Values.extraArgs }}
{{- $name := first (splitList "=" $arg) }}
{{- $value := get (dict "--image" "jobs.image" "--image-pull-policy" "jobs.imagePullPolicy" "--job-user" "jobs.user" "--listen" "metrics.port" "--watch-namespace" "watch" "--max-concurrent-runs" "jobs.maxConcurrentRuns" "--max-concurrent-drills" "jobs.maxConcurrentDrills" "--max-concurrent-checks" "jobs.maxConcurrentChecks" "--check-interval" "jobs.checkInterval" "--ui" "ui.enabled" "--strimzi" "strimzi.enabled") $name }}
{{- if $value }}
{{- fail (printf "extraArgs: %s is set by the value %s: remove it from extraArgs and set that value" $name $value) }}
{{- end }}
{{- if has $name (list "--namespace" "--identity") }}
{{- fail (printf "extraArgs: %s is what the chart itself sets, from the pod: remove it from extraArgs" $name) }}
{{- end }}
{{- if and (eq $name "--no-leader-election") (gt (int $.Values.replicas) 1) }}
{{- fail "extraArgs: --no-leader-election is for a single replica: set replicas to 1, or remove it from extraArgs" }}
{{- end }}
{{- end }}
{{- $names := list }}
{{- range $variable := .Values.extraEnv }}
{{- if has $variable.name $names }}
{{- fail (printf "extraEnv: %s is there twice: remove one of them" $variable.name) }}
{{- end }}
{{- $names = append $names $variable.name }}
{{- end }}
{{- range $other := (lookup "apps/v1" "Deployment" .Release.Namespace "").items }}
{{- $labels := $other.metadata.labels | default dict }}
{{- if and (eq (get $labels "app.kubernetes.io/name") "kafka-backup-operator") (ne $other.metadata.name (include "kafka-backup-operator.fullname" $)) }}
{{- fail (printf "namespace %s has an operator already, the Deployment %s, and both would share one Lease, so that one of them never works: install this release into a namespace of its own, or let that one watch more namespaces" $.Release.Namespace $other.metadata.name) }}
{{- end }}
{{- end }}
{{- range $label := keys .Values.commonLabels }}
{{- if has $label (list "app.kubernetes.io/name" "app.kubernetes.io/component" "app.kubernetes.io/managed-by") }}
{{- fail (printf "commonLabels: %s is how the chart's objects are told from others: remove it from commonLabels" $label) }}
{{- end }}
{{- end }}
{{- range $variable := .Values.extraEnv }}
{{- if has $variable.name (list "POD_NAME" "POD_NAMESPACE" "MALLOC_ARENA_MAX" "MALLOC_MMAP_THRESHOLD_" "MALLOC_TRIM_THRESHOLD_") }}
{{- fail (printf "extraEnv: %s is what the chart itself sets: remove it from extraEnv" $variable.name) }}
{{- end }}
{{- if eq $variable.name "NODE_OPTIONS" }}
{{- fail "extraEnv: NODE_OPTIONS is made of the values heap.oldMiB and heap.youngMiB: remove it from extraEnv and set those" }}
{{- end }}
{{- end }}
{{- range $label := keys .Values.podLabels }}
{{- if has $label (list "app.kubernetes.io/name" "app.kubernetes.io/component" "app.kubernetes.io/managed-by") }}
{{- fail (printf "podLabels: %s is how the operator's pods are told from others: remove it from podLabels" $label) }}
{{- end }}
{{- end }}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.name: give the name of the existing account, or set serviceAccount.create to true" }}
{{- end }}
{{- $limit := dig "limits" "memory" "" .Values.resources | toString }}
{{- if regexMatch "^[0-9]+(Mi|Gi)$" $limit }}
{{- $limitMiB := trimSuffix "Mi" $limit | trimSuffix "Gi" | int }}
{{- if hasSuffix "Gi" $limit }}
{{- $limitMiB = mul 1024 $limitMiB }}
{{- end }}
{{- $heapMiB := add (int .Values.heap.oldMiB) (mul 3 (int .Values.heap.youngMiB)) }}
{{- if gt (mul 10 $heapMiB) (mul 7 $limitMiB) }}
{{- fail (printf "heap: %d MiB (oldMiB + 3 × youngMiB) are more than 70 per cent of resources.limits.memory, %s: lower heap.oldMiB or raise the limit" $heapMiB $limit) }}
{{- end }}
{{- end }}
{{- end }}
