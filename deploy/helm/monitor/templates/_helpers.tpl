{{/* The beginning of all names. 40 characters leave room for what is appended, and for a StatefulSet's revision. */}}
{{- define "monitor.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $made := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- .Values.fullnameOverride | default $made | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* What selects Pods: (dict "root" $ "name" "monitor-analyzer"). The injector knows our own Pods by the first label; the last
one tells the aliases of a subchart apart. */}}
{{- define "monitor.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/part-of: {{ .root.Chart.Name | quote }}
{{- end }}

{{/* Labels of all objects: (dict "root" $ "name" …). */}}
{{- define "monitor.labels" -}}
{{ include "monitor.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "monitor.image" -}}
{{- $registry := .Values.image.registry | default .Values.global.imageRegistry -}}
{{- $name := ternary (printf "%s/%s" $registry .Values.image.repository) .Values.image.repository (not (empty $registry)) -}}
{{- if .Values.image.digest -}}
{{ $name }}@{{ .Values.image.digest }}
{{- else -}}
{{ $name }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "monitor.secret" -}}
{{ .Values.secret.existing | default (include "monitor.fullname" .) }}
{{- end }}

{{/* All namespaces that need Secret and ConfigMap. */}}
{{- define "monitor.namespaces" -}}
{{ prepend .Values.namespaces .Release.Namespace | uniq | toJson }}
{{- end }}

{{- define "monitor.valkey" -}}
{{- if and .Values.valkey.enabled (not .Values.store.url) -}}
{{ include "monitor.fullname" . }}-valkey
{{- end -}}
{{- end }}

{{- define "monitor.storeUrl" -}}
{{- if .Values.store.url -}}
{{ .Values.store.url }}
{{- if .Values.store.ca }}{{ ternary "&" "?" (contains "?" .Values.store.url) }}ssl_ca_data={{ .Values.store.ca | urlquery }}{{ end }}
{{- else -}}
redis://{{ include "monitor.valkey" . }}.{{ .Release.Namespace }}.svc:6379/0
{{- end -}}
{{- end }}

{{/* "true" where Helm can see a cluster. The first object is in every namespace; where `--create-namespace` is about to make
it, the second one tells. */}}
{{- define "monitor.cluster" -}}
{{- if or (lookup "v1" "ConfigMap" .Release.Namespace "kube-root-ca.crt") (lookup "v1" "Namespace" "" "default") -}}
true
{{- end -}}
{{- end }}

{{/* The file of the key: as given, as it is in the cluster, or a new one. Empty where nobody can know whether there is one. */}}
{{- define "monitor.key" -}}
{{- $there := lookup "v1" "Secret" .Release.Namespace (include "monitor.secret" .) -}}
{{- if .Values.secret.key -}}
{{ trim .Values.secret.key }}
{{- else if dig "data" "privacy.key" "" $there -}}
{{ index $there.data "privacy.key" | b64dec | trim }}
{{- else if include "monitor.cluster" . -}}
k1 {{ randBytes 32 | b64dec | printf "%x" }}
{{- end -}}
{{- end }}

{{/* A generated file with the release's own names in it, as YAML: (dict "root" $ "file" "analyzer.yaml"). */}}
{{- define "monitor.file" -}}
{{- .root.Files.Get (printf "files/%s" .file)
  | replace "%IMAGE%" (include "monitor.image" .root)
  | replace "%SECRET%" (include "monitor.secret" .root)
  | replace "%CONFIG%" (include "monitor.fullname" .root)
  | replace "%NAMESPACE%" .root.Release.Namespace -}}
{{- end }}

{{/* A Pod's spec with the choices of a user: (dict "root" $ "pod" spec "env" map "resources" map "more" map). `env` beats what
the container has, `resources` and `more` are merged into what is there. */}}
{{- define "monitor.pod" -}}
{{- $pod := deepCopy .pod -}}
{{- $container := first $pod.containers -}}
{{- $env := list -}}
{{- $chosen := .env -}}
{{- range $container.env -}}
{{- if not (hasKey $chosen .name) -}}{{- $env = append $env . -}}{{- end -}}
{{- end -}}
{{- range $name, $value := $chosen -}}
{{- $env = append $env (dict "name" $name "value" $value) -}}
{{- end -}}
{{- $_ := set $container "env" $env -}}
{{- $_ := set $container "imagePullPolicy" .root.Values.image.pullPolicy -}}
{{- $_ := set $container "resources" (mergeOverwrite $container.resources .resources) -}}
{{- $secrets := concat .root.Values.image.pullSecrets (.root.Values.global.imagePullSecrets | default list) | uniq -}}
{{- if $secrets -}}
{{- $names := list -}}
{{- range $secrets -}}{{- $names = append $names (kindIs "string" . | ternary (dict "name" .) .) -}}{{- end -}}
{{- $_ := set $pod "imagePullSecrets" $names -}}
{{- end -}}
{{- mergeOverwrite $pod .more | toYaml -}}
{{- end }}

{{- define "monitor.scraped" -}}
{{- if .Values.scrapeAnnotations -}}
prometheus.io/scrape: "true"
prometheus.io/port: "9464"
{{- end -}}
{{- end }}

{{- define "monitor.yaml" -}}
{{- $settings := deepCopy .Values.settings -}}
{{- $_ := set $settings "endpoint" .Values.endpoint -}}
{{- toYaml $settings -}}
{{- end }}

{{/* A file of rules or a dashboard, whose links lead where the values say: (dict "root" $ "file" path). */}}
{{- define "monitor.linked" -}}
{{- .root.Files.Get .file
  | replace "https://monitor.example/monitor/blob/main/RUNBOOK.md" .root.Values.links.runbook
  | replace "http://localhost:3000" (trimSuffix "/" .root.Values.links.grafana)
  | replace "http://localhost:9464/console/" .root.Values.links.console
  | trim -}}
{{- end }}
