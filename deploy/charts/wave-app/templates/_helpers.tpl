{{/* The same rules as platform/runtime/kubernetes/render.ts; a test holds one against the other. */}}

{{- define "wave-app.labels" -}}
runtime.haic.io/workload: {{ .Release.Name | quote }}
{{- end -}}

{{/* Another template, or another secret, is another pod. */}}
{{- define "wave-app.revision" -}}
{{ printf "%s|%s|%s|%s" (toJson .Values.template) .Values.secretName (toJson .Values.image) (toJson .Values.configMaps) | sha256sum | trunc 20 }}
{{- end -}}

{{/* Numbers for ports without one: in a network of its own a pod may have any. JSON: [{name, number, short}] */}}
{{- define "wave-app.ports" -}}
{{- $taken := dict -}}
{{- range .Values.template.ports }}{{ if .port }}{{ $_ := set $taken (toString (int .port)) true }}{{ end }}{{ end -}}
{{- $next := 8080 -}}
{{- $ports := list -}}
{{- range .Values.template.ports -}}
  {{- $number := int .port -}}
  {{- if not .port -}}
    {{- range until 100 }}{{ if hasKey $taken (toString $next) }}{{ $next = add1 $next | int }}{{ end }}{{ end -}}
    {{- $number = $next -}}
    {{- $_ := set $taken (toString $next) true -}}
  {{- end -}}
  {{- $fits := and (le (len .name) 15) (regexMatch "[a-z]" .name) (not (contains "--" .name)) -}}
  {{- $short := ternary .name (printf "p%s" (sha256sum .name | trunc 12)) $fits -}}
  {{- $ports = append $ports (dict "name" .name "number" $number "short" $short) -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* Kubernetes would replace $(NAME); what was given is what the process gets. */}}
{{- define "wave-app.verbatim" -}}
{{- replace "$" "$$" . | toJson -}}
{{- end -}}

{{- define "wave-app.probe" -}}
{{- if eq .probe.check.kind "http" -}}
httpGet:
  path: {{ toJson .probe.check.path }}
  port: {{ .port }}
{{- else -}}
tcpSocket:
  port: {{ .port }}
{{- end }}
{{- range $name, $least := dict "initialDelaySeconds" 0 "periodSeconds" 1 "timeoutSeconds" 1 "failureThreshold" 1 }}
{{- if hasKey $.probe $name }}
{{ $name }}: {{ max $least (ceil (get $.probe $name) | int) }}
{{- end }}
{{- end }}
{{- end -}}
