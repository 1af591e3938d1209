{{- define "mirador.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes of a component's labels. Takes (list . COMPONENT). */}}
{{- define "mirador.selector" -}}
app.kubernetes.io/name: {{ (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "mirador.labels" -}}
{{ include "mirador.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end -}}

{{- define "mirador.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "mirador.keysSecret" -}}
{{- if .Values.keys.lines }}{{ include "mirador.name" . }}-keys{{ else }}{{ .Values.keys.secret }}{{ end -}}
{{- end -}}

{{/* Seconds: the pause, the cap, the last batch, and the exit. */}}
{{- define "mirador.grace" -}}
{{- add (div (add (int64 .Values.drain.pauseMs) 999) 1000) (int64 .Values.drain.capS) 10 -}}
{{- end -}}

{{/* Flags as variables. Numbers of a values file are floating, and 16777216 must not become 1.6777216e+07. */}}
{{- define "mirador.settings" -}}
{{- range $flag, $value := . }}
MIRADOR_{{ $flag | upper | replace "-" "_" }}: {{ if kindIs "float64" $value }}{{ printf "%.0f" $value | quote }}{{ else }}{{ $value | toString | quote }}{{ end }}
{{- end }}
{{- end -}}

{{/*
What changes when something changes that a running pod would not see: keys and certificates are read anew on SIGHUP
only. A Secret that is not the chart's is looked up in the cluster, so `helm template` has no digest of it. Takes
(list . COMPONENT).
*/}}
{{- define "mirador.checksums" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
{{- $secrets := dict "keys" $values.keys.secret "tls" $values.tls.secret -}}
{{- if eq (index . 1) "jobs" }}{{ $secrets = set $secrets "callbacks" $values.jobs.callbackSecret }}{{ end -}}
checksum/settings: {{ include (print $root.Template.BasePath "/configmap.yaml") $root | sha256sum }}
{{- if $values.keys.lines }}
checksum/keys: {{ $values.keys.lines | sha256sum }}
{{- end }}
{{- range $what, $name := $secrets }}
{{- if $name }}
{{- with lookup "v1" "Secret" $root.Release.Namespace $name }}
checksum/{{ $what }}-secret: {{ .data | toJson | sha256sum }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
