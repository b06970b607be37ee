#!/bin/sh
# A release as app teams script it with the vendor's CLI: it looks things up and cuts them with awk, and is used unchanged.
# Runs in the folder of the new version; h2o is on the PATH. Prints the new instance.
set -eu

app_name=$1

old_app=$(h2o app list | awk -v name="$app_name" '$2 == name { print $1; exit }')
old_instance=$(h2o instance list | awk -v name="$app_name" '$2 == name { print $1; exit }')

new_app=$(h2o bundle import -v PUBLIC | awk '/^ID/ { print $2 }')
new_instance=$(h2o app run "$new_app" -v ALL_USERS | awk '/^ID/ { print $2 }')

h2o instance update "$old_instance" -v PRIVATE >/dev/null
h2o instance suspend "$old_instance" | awk -F '\t' '$1 == "Status" { print "old instance: " $2 }' >&2
h2o app update "$old_app" -v PRIVATE | awk -F '\t' '$1 == "Visibility" { print "old app: " $2 }' >&2

echo "$new_instance"
