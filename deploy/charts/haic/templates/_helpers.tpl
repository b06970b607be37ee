{{/* Namespace of a component: (list $ "router") */}}
{{- define "haic.namespace" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- get $root.Values.namespaces $component | default (printf "%s-%s" $root.Release.Namespace $component) -}}
{{- end -}}

{{/* By which pods of a component are found: (list $ "router") */}}
{{- define "haic.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: haic
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
haic.io/account: {{ $root.Release.Namespace | quote }}
{{- end -}}

{{- define "haic.labels" -}}
{{- $root := index . 0 -}}
{{ include "haic.selector" . }}
app.kubernetes.io/part-of: haic
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* metadata of what is a component's own: (list $ "router" "name") */}}
{{- define "haic.metadata" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
name: {{ index . 2 }}
namespace: {{ include "haic.namespace" (list $root $component) }}
labels:
  {{- include "haic.labels" (list $root $component) | nindent 2 }}
{{- end -}}

{{- define "haic.image" -}}
{{- with .Values.image -}}
{{- .repository -}}{{- with .tag }}:{{ . }}{{ end -}}{{- with .digest }}@{{ . }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* Secrets of a component, by the keys of the one in the release's namespace. */}}
{{- define "haic.secretKeys" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- $database := ternary "database-url" "database-password" (empty $root.Values.database.host) -}}
{{- $keys := list "master-key" $database -}}
{{- if eq $component "migrate" }}{{ $keys = list $database }}{{ end -}}
{{- if $root.Values.issuer.url -}}
  {{- if eq $component "router" }}{{ $keys = concat $keys (list "portal-client-secret" "router-client-secret") }}{{ end -}}
  {{- if eq $component "drive" }}{{ $keys = concat $keys (list "drive-client-secret") }}{{ end -}}
  {{- if eq $component "core" }}{{ $keys = concat $keys (list "portal-client-secret" "router-client-secret" "core-client-secret" "drive-client-secret" "operator-client-secret") }}{{ end -}}
{{- end -}}
{{- toJson $keys -}}
{{- end -}}

{{/* Where Haic finds its database: the password is never part of a value. */}}
{{- define "haic.databaseEnv" -}}
{{- with .Values.database -}}
{{- if .host -}}
- name: HAIC_DATABASE_URL
  value: {{ printf "postgres://%s@%s:%d/%s?sslmode=%s" (urlquery .user) .host (int .port) (urlquery .name) .sslMode | quote }}
- name: PGPASSWORD
  valueFrom: { secretKeyRef: { name: {{ $.Values.secrets.name }}, key: database-password } }
{{- else -}}
- name: HAIC_DATABASE_URL
  valueFrom: { secretKeyRef: { name: {{ $.Values.secrets.name }}, key: database-url } }
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "haic.commonEnv" -}}
- name: HAIC_LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- if .Values.trust.ca }}
- name: HAIC_CA_FILE
  value: /var/run/haic/trust/ca.crt
{{- end }}
{{ include "haic.databaseEnv" . }}
{{- end -}}

{{/* Env of what serves: (list $ "router") */}}
{{- define "haic.serviceEnv" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{ include "haic.commonEnv" $root }}
- name: HAIC_MASTER_KEY_FILE
  value: /var/run/haic/secrets/master-key
- name: HAIC_HOME
  value: /var/lib/haic
- name: HAIC_PUBLIC_URL
  value: {{ printf "https://%s" $root.Values.domain | quote }}
- name: HAIC_DRIVE_URL
  value: {{ printf "https://drive.%s" $root.Values.domain | quote }}
- name: HAIC_HOST
  value: 0.0.0.0
- name: HAIC_PORT
  value: "8080"
- name: HAIC_TLS_ENDS_IN_FRONT
  value: "true"
- name: HAIC_OPERATIONS_HOST
  value: 0.0.0.0
- name: HAIC_OPERATIONS_PORT
  value: "9464"
{{- if and $root.Values.blobs.store (ne $component "router") }}
- name: HAIC_BLOB_STORE
  value: {{ $root.Values.blobs.store | quote }}
{{- end }}
{{- with $root.Values.issuer.url }}
- name: HAIC_ISSUER
  value: {{ . | quote }}
{{- end }}
{{- range include "haic.secretKeys" . | fromJsonArray }}
{{- if hasSuffix "-client-secret" . }}
- name: HAIC_{{ . | replace "-" "_" | upper }}
  valueFrom: { secretKeyRef: { name: {{ $root.Values.secrets.name }}, key: {{ . }}, optional: true } }
{{- end }}
{{- end }}
{{- end -}}

{{/* The volume of a component, in JSON; {} for one that keeps nothing on a disk: (list $ "drive") */}}
{{- define "haic.storage" -}}
{{- $root := index . 0 -}}{{- $component := index . 1 -}}
{{- $inBucket := and (eq $component "drive") (ne $root.Values.blobs.store "") -}}
{{- ternary (dict) ((get $root.Values $component).storage | default dict) $inBucket | toJson -}}
{{- end -}}

{{/* What every pod of the platform has: (list $ "router") */}}
{{- define "haic.podSecurity" -}}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "haic.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{/* On one node, and in one zone, as few of a component as can be. */}}
{{- define "haic.spread" -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "haic.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end -}}

{{/* Ready: what it needs has been found. Alive: it answers at all, so that a slow database restarts nothing. */}}
{{- define "haic.probes" -}}
startupProbe:
  httpGet: { path: /readyz, port: operations }
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 150
readinessProbe:
  httpGet: { path: /readyz, port: operations }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet: { path: /livez, port: operations }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
lifecycle:
  preStop:
    # Tells it that it ends; answered after 5 s, when no proxy sends anything new here.
    httpGet: { path: /ending, port: operations }
{{- end -}}

{{/* A Secret or a certificate that has changed is another pod. */}}
{{- define "haic.checksums" -}}
{{- $root := index . 0 -}}
haic.io/trust: {{ $root.Values.trust.ca | sha256sum | trunc 20 | quote }}
haic.io/secrets: {{ include "haic.copiedSecret" . | sha256sum | trunc 20 | quote }}
{{- end -}}

{{/* Data of a component's Secret, in JSON; {} where nothing is copied, or nothing is asked of a cluster (helm template). */}}
{{- define "haic.copiedSecret" -}}
{{- $root := index . 0 -}}
{{- $data := dict -}}
{{- if $root.Values.secrets.copy -}}
  {{- $all := lookup "v1" "Secret" $root.Release.Namespace $root.Values.secrets.name -}}
  {{- range $key := include "haic.secretKeys" . | fromJsonArray -}}
    {{- with get ($all.data | default dict) $key }}{{ $_ := set $data $key . }}{{ end -}}
  {{- end -}}
{{- end -}}
{{- toJson $data -}}
{{- end -}}

{{/* Where a component answers /metrics and probes: apps/server/operations.ts. */}}
{{- define "haic.operationsPort" -}}
{{- get (dict "router" 9464 "core" 9465 "drive" 9466) . -}}
{{- end -}}

{{- define "haic.isOnline" -}}
{{- if lookup "v1" "Namespace" "" "kube-system" }}yes{{ end -}}
{{- end -}}
