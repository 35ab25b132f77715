#!/bin/sh
# docker as far as the examples use it: what is built is an image of fixtures/layout (LAYOUT). A push takes SLOW seconds;
# where RIVAL names a tag, somebody else moves that meanwhile.
set -eu
copy() {
  skopeo copy --quiet --dest-tls-verify=false --authfile "$HOME/.docker/config.json" "oci:$LAYOUT:$1" "docker://$2"
}
layout_tag() {
  case $1 in
    linux/amd64) echo "${AMD64:-linux-amd64}" ;;
    linux/arm64) echo linux-arm64v8 ;;
  esac
}
case $1 in
  login) # --username NAME --password-stdin HOST
    auth=$(printf '%s:%s' "$3" "$(cat)" | base64 | tr -d '\n')
    mkdir -p "$HOME/.docker"
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$5" "$auth" > "$HOME/.docker/config.json"
    ;;
  build) # --platform linux/ARCH --tag NAME .
    layout_tag "$3" > "$HOME/built-$(echo "$5" | tr / _)"
    ;;
  push) # NAME
    sleep "${SLOW:-0}"
    built=$(cat "$HOME/built-$(echo "$2" | tr / _)")
    copy "$built" "$2"
    # One of the builds is enough: two uploads of the same blob at the same moment are too much for some registries.
    if [ -n "${RIVAL:-}" ] && [ "$built" != linux-arm64v8 ]; then copy linux-s390x "$RIVAL"; fi
    ;;
  buildx)
    [ "$2" != create ] || exit 0
    # build --platform linux/ARCH --metadata-file FILE --output type=image,name=NAME,push-by-digest=true,… .
    [ "$2 $3 $5 $7" = 'build --platform --metadata-file --output' ]
    built=$(layout_tag "$4") name=${8#type=image,name=}
    name=${name%%,*}
    digest=$(skopeo inspect --format '{{.Digest}}' "oci:$LAYOUT:$built")
    copy "$built" "$name@$digest"
    printf '{\n  "containerimage.digest": "%s"\n}\n' "$digest" > "$6"
    ;;
  *)
    echo "docker.sh knows no $*" >&2
    exit 1
    ;;
esac
