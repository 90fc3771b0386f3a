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
{{- end }}
{{- range $arg := .Values.extraArgs }}
{{- $name := first (splitList "=" $arg) }}
{{- if and (eq $name "--no-leader-election") (gt (int $.Values.replicas) 1) }}
{{- fail (printf "extraArgs: %s is for a single replica: set replicas to 1, or remove it from extraArgs" $arg) }}
{{- end }}
{{- if has $name (list "--namespace" "--identity") }}
{{- fail (printf "extraArgs: %s is given by the pod, where the operator has its Lease: remove it from extraArgs" $name) }}
{{- end }}
{{- end }}
{{- if contains ":" (last (splitList "/" .Values.image.repository)) }}
{{- fail (printf "image.repository: %s has a tag: put the tag into image.tag" .Values.image.repository) }}
{{- end }}
{{- range $label := keys .Values.commonLabels }}
{{- if has $label (list "app.kubernetes.io/name" "app.kubernetes.io/component" "app.kubernetes.io/managed-by") }}
{{- fail (printf "commonLabels: %s is how the chart's objects are told from others: remove it from commonLabels" $label) }}
{{- end }}
{{- end }}
{{- $variables := dict }}
{{- range $variable := .Values.extraEnv }}
{{- if hasKey $variables $variable.name }}
{{- fail (printf "extraEnv: %s is there twice: remove one of the two" $variable.name) }}
{{- end }}
{{- $_ := set $variables $variable.name true }}
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
{{- include "kafka-backup-operator.heapCheck" . }}
{{- include "kafka-backup-operator.otherOperators" . }}
{{- end }}

{{/* The heap has room below the memory limit, in whatever unit that is. */}}
{{- define "kafka-backup-operator.heapCheck" -}}
{{- $limit := dig "limits" "memory" "" .Values.resources }}
{{- /* Helm reads whole numbers of values files as fractions. */}}
{{- $limit = kindIs "float64" $limit | ternary (int64 $limit | toString) (toString $limit) }}
{{- if $limit }}
{{- $number := regexFind "^[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?" $limit }}
{{- $unit := trimPrefix $number $limit }}
{{- $units := dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 }}
{{- if or (not $number) (not (hasKey $units $unit)) }}
{{- fail (printf "resources.limits.memory: %s is no amount of memory: write it as 256Mi" $limit) }}
{{- end }}
{{- $heapMiB := add (int .Values.heap.oldMiB) (mul 3 (int .Values.heap.youngMiB)) }}
{{- if gt (mulf 10 $heapMiB 1048576) (mulf 7 (float64 $number) (get $units $unit)) }}
{{- fail (printf "heap: %d MiB (oldMiB + 3 × youngMiB) are more than 70 per cent of resources.limits.memory, %s: lower heap.oldMiB or raise the limit" $heapMiB $limit) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
What the cluster has already: another operator with the same Lease, or for the same namespaces. Without a cluster, as in
`helm template`, nothing is looked up.
*/}}
{{- define "kafka-backup-operator.otherOperators" -}}
{{- $own := printf "%s/%s" .Release.Namespace .Release.Name }}
{{- $fullname := include "kafka-backup-operator.fullname" . }}
{{- range (lookup "apps/v1" "Deployment" .Release.Namespace "").items }}
{{- $labels := dig "selector" "matchLabels" dict .spec }}
{{- $isOperator := and (eq (get $labels "app.kubernetes.io/name") "kafka-backup-operator") (eq (get $labels "app.kubernetes.io/component") "operator") }}
{{- if and $isOperator (ne .metadata.name $fullname) (ne (include "kafka-backup-operator.owner" .) $own) }}
{{- fail (printf "namespace %s has an operator already, Deployment %s: two in one namespace share a Lease, and one of them never works. Install this one in another namespace, or let the other one watch more namespaces (watch.namespaces)" $.Release.Namespace .metadata.name) }}
{{- end }}
{{- end }}
{{- if eq .Values.watch.scope "AllNamespaces" }}
{{- range (lookup "rbac.authorization.k8s.io/v1" "ClusterRoleBinding" "" "").items }}
{{- if eq (include "kafka-backup-operator.isOther" (list . $fullname $own)) "yes" }}
{{- $subject := first .subjects }}
{{- fail (printf "watch.scope: an operator in namespace %s watches all namespaces already (ClusterRoleBinding %s): two operators must not watch the same namespace. Uninstall that one, or set watch.scope to Namespaces or OwnNamespace in both" $subject.namespace .metadata.name) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $namespace := include "kafka-backup-operator.watched" . | fromYamlArray }}
{{- range (lookup "rbac.authorization.k8s.io/v1" "RoleBinding" $namespace "").items }}
{{- if eq (include "kafka-backup-operator.isOther" (list . $fullname $own)) "yes" }}
{{- $subject := first .subjects }}
{{- fail (printf "watch: an operator in namespace %s watches namespace %s already (RoleBinding %s): two operators must not watch the same namespace. Take it out of one of the two" $subject.namespace $namespace .metadata.name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The release that an object belongs to, as namespace/name; nothing where Helm did not make it. */}}
{{- define "kafka-backup-operator.owner" -}}
{{- $annotations := .metadata.annotations | default dict }}
{{- with get $annotations "meta.helm.sh/release-name" }}{{ get $annotations "meta.helm.sh/release-namespace" }}/{{ . }}{{ end }}
{{- end }}

{{/* Whether a binding gives rights of an operator to another one; the arguments: binding, own name, own release. */}}
{{- define "kafka-backup-operator.isOther" -}}
{{- $binding := first . }}
{{- $owner := include "kafka-backup-operator.owner" $binding }}
{{- $labels := $binding.metadata.labels | default dict }}
{{- $isOperators := and (eq (get $labels "app.kubernetes.io/name") "kafka-backup-operator") (not (regexMatch "-(election|strimzi)$" $binding.metadata.name)) $binding.subjects }}
{{- /* One of the same name that is nobody's is taken over, or refused by Helm. */}}
{{- $isOwn := or (eq $owner (index . 2)) (and (not $owner) (eq $binding.metadata.name (index . 1))) }}
{{- if and $isOperators (not $isOwn) }}yes{{ end }}
{{- end }}
