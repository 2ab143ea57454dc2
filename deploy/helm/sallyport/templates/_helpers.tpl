{{- define "sallyport.name" -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end }}

{{- define "sallyport.selector" -}}
app.kubernetes.io/name: sallyport
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sallyport.labels" -}}
{{ include "sallyport.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "sallyport.image" -}}
{{- $repository := required "image.repository is the image that you built with the Dockerfile" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "sallyport.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "sallyport.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{- define "sallyport.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "sallyport.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The Secret's keys as files. Called with a list: the context, and the key of the database's URL. */}}
{{- define "sallyport.secretVolume" -}}
{{- $context := index . 0 -}}
{{- $secret := $context.Values.secret -}}
- name: secret
  secret:
    secretName: {{ required "secret.name is the name of a Secret that exists" $secret.name }}
    defaultMode: 0440
    items:
      - key: {{ index . 1 }}
        path: database-url
      - key: {{ $secret.masterKey }}
        path: master-key
      - key: {{ $secret.operatorToken }}
        path: operator-token
      {{- range $secret.further }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end }}

{{- define "sallyport.secretVariables" -}}
- name: SALLYPORT_DATABASE_URL_FILE
  value: /etc/sallyport/secret/database-url
- name: SALLYPORT_MASTER_KEY_FILE
  value: /etc/sallyport/secret/master-key
- name: SALLYPORT_OPERATOR_TOKEN_FILE
  value: /etc/sallyport/secret/operator-token
{{- end }}

{{- define "sallyport.mounts" -}}
- name: secret
  mountPath: /etc/sallyport/secret
  readOnly: true
- name: data
  mountPath: /var/lib/sallyport
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "sallyport.emptyVolumes" -}}
- name: data
  emptyDir:
    sizeLimit: {{ .Values.dataSizeLimit }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- end }}
