#!/bin/bash
# qmllint over the interface as it was built. usage: qmllint.sh QMLLINT QML_BUILD_DIR
set -eu
cd "$2/Paluku"
mapfile -t files < <(find . -name '*.qml' | sort)
out=$("$1" -I "$2" "${files[@]}" 2>&1) && status=0 || status=$?
echo "$out"
echo "${#files[@]} files"
if [ "$status" -ne 0 ] || grep -q '^\(Warning\|Error\|Info\)' <<< "$out"; then exit 1; fi
