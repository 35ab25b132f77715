#!/bin/sh
# docker as far as the examples use it: what is built is an image of fixtures/layout (LAYOUT). A push takes SLOW seconds;
# where RIVAL names a tag, somebody else moves that meanwhile.
set -eu
copy() {
  skopeo copy --quiet --dest-tls-verify=false --authfile "$HOME/.docker/config.json" "oci:$LAYOUT:$1" "docker://$2"
}
case $1 in
  login) # --username NAME --password-stdin HOST
    auth=$(printf '%s:%s' "$3" "$(cat)" | base64 | tr -d '\n')
    mkdir -p "$HOME/.docker"
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$5" "$auth" > "$HOME/.docker/config.json"
    ;;
  build) # --platform linux/ARCH --tag NAME .
    case $3 in
      linux/amd64) echo "${AMD64:-linux-amd64}" ;;
      linux/arm64) echo linux-arm64v8 ;;
    esac > "$HOME/built-$(echo "$5" | tr / _)"
    ;;
  push) # NAME
    sleep "${SLOW:-0}"
    built=$(cat "$HOME/built-$(echo "$2" | tr / _)")
    copy "$built" "$2"
    # One of the builds is enough: two uploads of the same blob at the same moment are too much for some registries.
    if [ -n "${RIVAL:-}" ] && [ "$built" != linux-arm64v8 ]; then copy linux-s390x "$RIVAL"; fi
    ;;
  *)
    echo "docker.sh knows no $*" >&2
    exit 1
    ;;
esac
