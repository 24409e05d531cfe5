{{/* A Job of `cyroid-images bootstrap`, its account and its rights, all as hooks.
     Argument: (dict "root" $ "name" "..." "hooks" "..." "args" list "role" rules
     "clusterRole" rules "configMap" "..."); rules and configMap may be absent.

     Deleted when they succeeded and before they are made again, since a Job cannot be changed.
     What they made (Secrets, the ImageCache) belongs to no release and stays. */}}
{{- define "cyroid.bootstrap" -}}
{{- $labels := include "cyroid.labels" (dict "root" .root "component" "bootstrap") }}
{{- $namespace := .root.Release.Namespace }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ $namespace }}
  labels: {{- $labels | nindent 4 }}
  annotations: {{- include "cyroid.hook" (dict "hooks" .hooks "weight" "-10") | nindent 4 }}
automountServiceAccountToken: false
{{- range $kind := list "Role" "ClusterRole" }}
{{- with index $ (untitle $kind) }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  name: {{ $.name }}
  {{- if eq $kind "Role" }}
  namespace: {{ $namespace }}
  {{- end }}
  labels: {{- $labels | nindent 4 }}
  annotations: {{- include "cyroid.hook" (dict "hooks" $.hooks "weight" "-10") | nindent 4 }}
rules: {{- toYaml . | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  name: {{ $.name }}
  {{- if eq $kind "Role" }}
  namespace: {{ $namespace }}
  {{- end }}
  labels: {{- $labels | nindent 4 }}
  annotations: {{- include "cyroid.hook" (dict "hooks" $.hooks "weight" "-10") | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: {{ $kind }}, name: {{ $.name }}}
subjects:
  - {kind: ServiceAccount, name: {{ $.name }}, namespace: {{ $namespace }}}
{{- end }}
{{- end }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .name }}
  namespace: {{ $namespace }}
  labels: {{- $labels | nindent 4 }}
  annotations: {{- include "cyroid.hook" (dict "hooks" .hooks "weight" "0") | nindent 4 }}
spec:
  backoffLimit: 3
  activeDeadlineSeconds: 600 # a slow first pull of the image; Helm itself waits 300 s by default
  ttlSecondsAfterFinished: 3600 # for installs without Helm, long enough to read the log
  template:
    metadata:
      labels:
        {{- include "cyroid.selector" (dict "component" "bootstrap") | nindent 8 }}
        {{- with .root.Values.commonLabels }}
        {{- tpl (toYaml .) $.root | nindent 8 }}
        {{- end }}
    spec:
      restartPolicy: Never # a failed pod stays, and with it the reason in its log
      serviceAccountName: {{ .name }}
      automountServiceAccountToken: true
      enableServiceLinks: false
      securityContext: {{- include "cyroid.restrictedPod" 65532 | nindent 8 }}
      {{- include "cyroid.placement" (dict "root" .root "of" .root.Values.operator) | trim | nindent 6 }}
      containers:
        - name: bootstrap
          image: {{ include "cyroid.image" (dict "root" .root "image" .root.Values.operator.image) }}
          imagePullPolicy: {{ .root.Values.operator.image.pullPolicy }}
          args: {{- toYaml .args | nindent 12 }}
          resources: {{- toYaml .root.Values.operator.resources | nindent 12 }}
          securityContext: {{- include "cyroid.restricted" .root | nindent 12 }}
          {{- with .configMap }}
          volumeMounts:
            - {name: configuration, mountPath: /etc/cyroid, readOnly: true}
          {{- end }}
      {{- with .configMap }}
      volumes:
        - name: configuration
          configMap: {name: {{ . }}}
      {{- end }}
{{- end }}

{{- define "cyroid.hook" -}}
helm.sh/hook: {{ .hooks }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
