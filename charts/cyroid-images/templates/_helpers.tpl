{{/* Names are fixed, not derived from the release: the operator watches the whole cluster and
     the definitions are cluster-wide, so there is one installation. A second one then fails at
     install, and every document can name `cyroid-registry.cyroid.svc`. */}}

{{/* Labels of every object; argument: (dict "root" $ "component" "registry") */}}
{{- define "cyroid.labels" -}}
{{ include "cyroid.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ tpl (toYaml .) $.root }}
{{- end }}
{{- end }}

{{/* Labels that never change, for selectors. */}}
{{- define "cyroid.selector" -}}
app.kubernetes.io/name: cyroid-images
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* registry/repository@digest, else :tag; argument: (dict "root" $ "image" .Values.x.image) */}}
{{- define "cyroid.image" -}}
{{- $host := .root.Values.global.imageRegistry | default .image.registry -}}
{{- if $host }}{{ $host }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* What the Pod Security level "restricted" asks of a container, and a read-only root. */}}
{{- define "cyroid.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* ... and of a pod; argument: the user id */}}
{{- define "cyroid.restrictedPod" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Where a pod may run; argument: (dict "root" $ "of" .Values.operator) */}}
{{- define "cyroid.placement" -}}
{{- with .root.Values.global.imagePullSecrets }}
imagePullSecrets: {{- tpl (toYaml .) $.root | nindent 2 }}
{{- end }}
{{- with .of.nodeSelector }}
nodeSelector: {{- tpl (toYaml .) $.root | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations: {{- tpl (toYaml .) $.root | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity: {{- tpl (toYaml .) $.root | nindent 2 }}
{{- end }}
{{- with .of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "cyroid.pushSecret" -}}
{{ .Values.registry.push.existingSecret | default "cyroid-registry-push" }}
{{- end }}

{{/* Host:port of the two listeners of our own registry. */}}
{{- define "cyroid.pullHost" -}}cyroid-registry.{{ .Release.Namespace }}.svc:5000{{- end }}
{{- define "cyroid.pushHost" -}}cyroid-registry.{{ .Release.Namespace }}.svc:5001{{- end }}
{{- define "cyroid.collectorHost" -}}cyroid-registry.{{ .Release.Namespace }}.svc:5002{{- end }}

{{/* The port an outside registry is reached at; argument: root */}}
{{- define "cyroid.externalPort" -}}
{{- $url := urlParse .Values.registry.external.pushURL -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) -}}
{{ $port | default (ternary "80" "443" (eq $url.scheme "http")) }}
{{- end }}
