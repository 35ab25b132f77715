#!/usr/bin/env bash
# Prepares a machine for `make test`: installs the registry, engine and clients that the tests use, if any is missing.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

has() { command -v "$1" > /dev/null; }

# Each command, and its Debian package.
parts='docker-registry docker-registry
skopeo skopeo
openssl openssl
htpasswd apache2-utils
python3 python3
dockerd docker.io
docker docker.io
iptables iptables
zsh zsh
fish fish
groff groff-base'

commands=() packages=()
while read -r command package; do
  has "$command" && continue
  commands+=("$command")
  packages+=("$package")
done <<< "$parts"
[ "${#commands[@]}" -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && has apt-get; then
  echo "test-setup: installing ${packages[*]}"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  export DEBIAN_FRONTEND=noninteractive
  install() {
    apt-get update -q || return
    # Newer releases package the client separately.
    if [[ " ${commands[*]} " == *' docker '* ]] && apt-cache show docker-cli > /dev/null 2>&1; then
      packages+=(docker-cli)
    fi
    apt-get install -y -q --no-install-recommends "${packages[@]}"
  }
  if ! install > "$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "test-setup: apt-get could not install ${packages[*]}" >&2
    exit 1
  fi
  for command in "${commands[@]}"; do
    has "$command" && continue
    echo "test-setup: $command is still missing after apt-get install" >&2
    exit 1
  done
  echo "test-setup: installed ${packages[*]}"
  exit 0
fi

# Elsewhere, a running engine replaces the one that the tests would start.
needed=()
for command in "${commands[@]}"; do
  case $command in
    dockerd | iptables) has docker && docker info > /dev/null 2>&1 || needed+=("$command") ;;
    *) needed+=("$command") ;;
  esac
done
[ "${#needed[@]}" -gt 0 ] || exit 0

{
  echo "test-setup: the tests need these commands in PATH: ${needed[*]}"
  for command in "${needed[@]}"; do
    case $command in
      docker-registry) echo '  docker-registry: the registry of https://github.com/distribution/distribution, under this name' ;;
      htpasswd) echo '  htpasswd: of the Apache web server (apache2-utils, httpd-tools)' ;;
      docker) echo '  docker: the client of Docker; its engine is not needed for it' ;;
      dockerd | iptables) echo "  $command: not needed where a Docker engine runs (\`docker info\` answers)" ;;
      *) echo "  $command" ;;
    esac
  done
  echo "On Debian and Ubuntu: sudo apt-get install -y --no-install-recommends ${packages[*]}"
} >&2
exit 1
