{{/* Labels of every object. */}}
{{- define "kafka-backup-crds.labels" -}}
app.kubernetes.io/name: kafka-backup-operator
app.kubernetes.io/part-of: kafka-backup-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- /* Not the chart's name: as a part of the other chart that is its alias. */}}
helm.sh/chart: {{ printf "kafka-backup-crds-%s" .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}
