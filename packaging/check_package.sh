#!/usr/bin/env bash
# Tries a package as its users will: lintian, then an installation in a clean Debian 12 root, an answer in the
# terminal and a window on a display outside that root. Needs root and the network of Debian's packages.
# usage: check_package.sh PACKAGE.deb [CUDA_PACKAGE.deb]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
package=$(realpath "$1")
cuda=${2:+$(realpath "$2")}
scratch=$(mktemp -d)
root=$scratch/root
display=:$((90 + RANDOM % 100))

clean_up() {
  kill "${server:-0}" 2>/dev/null || true
  umount "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$scratch"
}
trap clean_up EXIT

step() { printf -- '-- %s\n' "$*"; }

step "lintian"
lintian --fail-on error --suppress-tags bogus-mail-host "$package" ${cuda:+"$cuda"}

step "desktop file, metainfo, MIME type"
dpkg -x "$package" "$scratch/files"
desktop-file-validate "$scratch"/files/usr/share/applications/*.desktop
appstreamcli validate --no-net "$scratch"/files/usr/share/metainfo/*.xml
update-mime-database "$scratch/files/usr/share/mime"
test -s "$scratch/files/usr/share/mime/application/x-gguf.xml"

step "clean root"
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$scratch/debootstrap.log" 2>&1 ||
  { tail "$scratch/debootstrap.log"; exit 1; }
mount -t proc proc "$root/proc"
cp "$package" "$root/tmp/paluku.deb"
in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/home LANG=C.UTF-8 "$@"; }
# The mirror may be a snapshot whose dates have passed.
in_root apt-get -q -o Acquire::Check-Valid-Until=false -o Acquire::Check-Date=false update >/dev/null
in_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends /tmp/paluku.deb \
  >"$scratch/install.log" 2>&1 || { tail -n 30 "$scratch/install.log"; exit 1; }
mkdir "$root/tmp/home"

step "an answer in the terminal"
in_root paluku-cli --version
in_root paluku-cli run --temp 0 -n 64 -p "What is Paluku?"
in_root paluku-cli models list

if [ -n "$cuda" ]; then
  step "the package for NVIDIA cards, without a card"
  cp "$cuda" "$root/tmp/paluku-cuda.deb"
  in_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends /tmp/paluku-cuda.deb \
    >"$scratch/install.log" 2>&1 || { tail -n 30 "$scratch/install.log"; exit 1; }
  in_root paluku-cli run --temp 0 -n 64 -p "What is Paluku?"
  ! in_root PALUKU_BACKEND=cuda paluku-cli run --temp 0 -n 4 -p "Hello" 2>"$scratch/refusal.log"
  grep -q "driver is missing" "$scratch/refusal.log" || { cat "$scratch/refusal.log"; exit 1; }
fi

step "a window"
Xvfb "$display" -screen 0 1280x800x24 -nolisten tcp -ac >/dev/null 2>&1 &
server=$!
for _ in $(seq 50); do DISPLAY=$display xdpyinfo >/dev/null 2>&1 && break; sleep 0.1; done
in_root DISPLAY="$display" timeout 60 paluku >"$scratch/window.log" 2>&1 &
window_failed() {
  cat "$scratch/window.log"
  echo "$1"
  exit 1
}
DISPLAY=$display timeout 50 xdotool search --sync --onlyvisible --class paluku >/dev/null ||
  window_failed "no window appeared"
sleep 2
if grep -E 'module .* is not installed|is not a type|Cannot assign|ReferenceError|TypeError' "$scratch/window.log"; then
  window_failed "the window has errors"
fi
step "the package works in $(in_root cat /etc/debian_version)"
