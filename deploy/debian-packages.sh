#!/bin/sh
# Install Debian packages that are missing: sh deploy/debian-packages.sh PACKAGE...
# As root it installs; otherwise it prints the command and fails. Nothing is asked of the network when all are there.
set -eu
missing=
for package in "$@"; do
    [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    printf 'These Debian packages are missing. Install them and start again:\n    sudo apt-get install%s\n' "$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing$missing"
# shellcheck disable=SC2086  # a list of words
apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 && exit 0
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -qq -y --no-install-recommends $missing >/dev/null
