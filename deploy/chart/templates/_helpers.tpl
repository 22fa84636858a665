{{/* Names that stay as they were in the first chart of this name, so that an upgrade changes objects instead of replacing them. */}}

{{- define "ksnapshot.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "ksnapshot.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "ksnapshot.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "ksnapshot.fullname" .) "default") -}}
{{- end -}}

{{- define "ksnapshot.jobServiceAccount" -}}
{{- .Values.backupJob.serviceAccount.name | default (printf "%s-backup" (include "ksnapshot.fullname" .)) -}}
{{- end -}}

{{- define "ksnapshot.configMap" -}}
{{- .Values.existingConfigMap | default "ksnapshot-cm" -}}
{{- end -}}

{{- define "ksnapshot.secret" -}}
{{- .Values.secret.create | ternary "ksnapshot-secret" .Values.existingSecret -}}
{{- end -}}

{{- define "ksnapshot.lease" -}}
{{- include "ksnapshot.fullname" . | trunc 54 | trimSuffix "-" -}}-operator
{{- end -}}

{{/* What the operator's pods are selected by; can't change between releases. */}}
{{- define "ksnapshot.selector" -}}
app.kubernetes.io/name: {{ include "ksnapshot.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "ksnapshot.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "ksnapshot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* What the schema can't say, since it's about two values or about the release. */}}
{{- define "ksnapshot.check" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicaCount: more than one replica needs leaderElection.enabled" -}}
{{- end -}}
{{- $images := .Values.dumperImages -}}
{{- range list $images.mysql.v5_7 $images.mysql.v8 $images.postgresql.v16 $images.elasticsearch -}}
{{- if contains "ksnapshot-dumper-" (. | default "") -}}
{{- fail (printf "dumperImages: %s holds no ksnapshot, which jobs run now; leave it empty for the one image" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
