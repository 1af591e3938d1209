{{/* A pod of either component. Takes (dict "root" . "component" NAME "resources" RESOURCES "args" MORE "mounts" MORE "volumes" MORE "envFrom" MORE). */}}
{{- define "mirador.pod" -}}
{{- $values := .root.Values -}}
{{- $keys := include "mirador.keysSecret" .root -}}
{{- $own := or $values.weights.claim $values.weights.image -}}
metadata:
  labels:
    {{- include "mirador.selector" (list .root .component) | nindent 4 }}
  annotations:
    {{- include "mirador.checksums" (list .root .component) | nindent 4 }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  automountServiceAccountToken: false
  # Else a Service of the name `mirador` would set MIRADOR_PORT and its like, beside the program's own variables.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ include "mirador.grace" .root }}
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  {{- if $values.weights.image }}
  initContainers:
    - name: weights
      image: {{ $values.weights.image | quote }}
      command: ["cp", "-R", {{ printf "%s/." $values.weights.imagePath | quote }}, /srv/weights]
      securityContext:
        {{- include "mirador.confined" . | nindent 8 }}
      resources:
        requests:
          cpu: 100m
          memory: 64Mi
        limits:
          memory: 256Mi
      volumeMounts:
        - name: weights
          mountPath: /srv/weights
  {{- end }}
  containers:
    - name: mirador
      image: {{ include "mirador.image" .root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        - serve
        - --bind={{ $values.bindAddress }}:8080
        - --ops-bind={{ $values.bindAddress }}:9090
        {{- if $values.gpu.enabled }}
        - --device=cuda:0
        {{- else }}
        - --device=cpu
        {{- end }}
        {{- if $own }}
        - --weights-dir=/srv/weights
        {{- end }}
        {{- if $keys }}
        - --key-file=/etc/mirador/keys/keys
        {{- end }}
        {{- if $values.tls.secret }}
        - --tls-cert=/etc/mirador/tls/tls.crt
        - --tls-key=/etc/mirador/tls/tls.key
        {{- end }}
        {{- range .args }}
        - {{ . | quote }}
        {{- end }}
      envFrom:
        - configMapRef:
            name: {{ include "mirador.name" .root }}
        {{- range .envFrom }}
        - configMapRef:
            name: {{ . }}
        {{- end }}
      {{- with $values.extraEnv }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8080
        - name: ops
          containerPort: 9090
      # At the second address, which asks for no key, no certificate and none of --allowed-host's names. Loading the
      # networks takes seconds on a processor, and up to some minutes from a slow volume or onto a GPU.
      startupProbe:
        httpGet:
          path: /health/ready
          port: ops
        periodSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet:
          path: /health/live
          port: ops
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet:
          path: /health/ready
          port: ops
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 2
      securityContext:
        {{- include "mirador.confined" . | nindent 8 }}
      resources:
        {{- $resources := deepCopy .resources }}
        {{- if $values.gpu.enabled }}
        {{- $resources = mergeOverwrite $resources (dict "limits" (dict "nvidia.com/gpu" 1)) }}
        {{- end }}
        {{- toYaml $resources | nindent 8 }}
      {{- $mounts := include "mirador.mounts" . | trim }}
      {{- with $mounts }}
      volumeMounts:
        {{- . | nindent 8 }}
      {{- end }}
  {{- $volumes := include "mirador.volumes" . | trim }}
  {{- with $volumes }}
  volumes:
    {{- . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "mirador.selector" (list $.root $.component) | nindent 10 }}
    {{- end }}
  {{- with $values.gpu.enabled | ternary (merge (dict) $values.gpu.nodeSelector $values.nodeSelector) $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.gpu.enabled | ternary (concat $values.gpu.tolerations $values.tolerations) $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and $values.gpu.enabled $values.gpu.runtimeClassName }}
  runtimeClassName: {{ $values.gpu.runtimeClassName }}
  {{- end }}
{{- end -}}

{{- define "mirador.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "mirador.mounts" -}}
{{- $values := .root.Values -}}
{{- if or $values.weights.claim $values.weights.image }}
- name: weights
  mountPath: /srv/weights
  readOnly: true
{{- end }}
{{- if include "mirador.keysSecret" .root }}
- name: keys
  mountPath: /etc/mirador/keys
  readOnly: true
{{- end }}
{{- if $values.tls.secret }}
- name: tls
  mountPath: /etc/mirador/tls
  readOnly: true
{{- end }}
{{- with concat (.mounts | default list) $values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mirador.volumes" -}}
{{- $values := .root.Values -}}
{{- if $values.weights.claim }}
- name: weights
  persistentVolumeClaim:
    claimName: {{ $values.weights.claim }}
    readOnly: true
{{- else if $values.weights.image }}
- name: weights
  emptyDir: {}
{{- end }}
{{- with include "mirador.keysSecret" .root }}
- name: keys
  secret:
    secretName: {{ . }}
{{- end }}
{{- with $values.tls.secret }}
- name: tls
  secret:
    secretName: {{ . }}
{{- end }}
{{- with concat (.volumes | default list) $values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
