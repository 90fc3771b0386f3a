{{/* Name of the objects: the release's, which has the chart's name in it. */}}
{{- define "kafka-backup-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* Name of what belongs to the cluster: operators of single namespaces may be many. */}}
{{- define "kafka-backup-operator.clusterName" -}}
{{- $name := include "kafka-backup-operator.fullname" . -}}
{{- if eq .Values.watch.scope "AllNamespaces" -}}{{ $name }}{{- else -}}{{ printf "%s-%s" .Release.Namespace $name }}{{- end -}}
{{- end }}

{{/* Selects the operator's pods; a Deployment's selector never changes, so neither does this. */}}
{{- define "kafka-backup-operator.selector" -}}
app.kubernetes.io/name: kafka-backup-operator
app.kubernetes.io/component: operator
{{- end }}

{{/* Labels of every object. */}}
{{- define "kafka-backup-operator.labels" -}}
app.kubernetes.io/name: kafka-backup-operator
app.kubernetes.io/part-of: kafka-backup-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "kafka-backup-operator.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "kafka-backup-operator.fullname" .) -}}
{{- end }}

{{- define "kafka-backup-operator.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{- define "kafka-backup-operator.imageOfJobs" -}}
{{- .Values.jobs.image | default (include "kafka-backup-operator.image" .) -}}
{{- end }}

{{/* The namespaces that the operator watches, as a YAML list; empty for all. */}}
{{- define "kafka-backup-operator.watched" -}}
{{- if eq .Values.watch.scope "OwnNamespace" -}}
{{- toYaml (list .Release.Namespace) -}}
{{- else if eq .Values.watch.scope "Namespaces" -}}
{{- toYaml (uniq .Values.watch.namespaces) -}}
{{- end -}}
{{- end }}

{{/* The first object of a file with several. */}}
{{- define "kafka-backup-operator.rules" -}}
{{- toYaml (first (splitList "\n---\n" .) | fromYaml).rules -}}
{{- end }}
