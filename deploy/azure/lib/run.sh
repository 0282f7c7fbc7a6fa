# shellcheck shell=bash
# Running and showing commands, and saying what to mend where one fails. Sourced by deploy.sh.

dry_run='' steps=0 step=0 step_name='' step_hint=''
role_wait_s=${ROLE_WAIT_S:-900} poll_s=${POLL_S:-10}

umask 077  # the work folder holds keys and tokens, for as long as the script runs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

begin() { steps=$1; }

# step NAME HINT: what the next commands are for, and what to look at where they fail.
step() {
  step=$((step + 1)) step_name=$1 step_hint=$2
  echo
  echo "[$step/$steps] $step_name"
}

# The words as they would be typed.
shown() {
  local word text=''
  for word in "$@"; do
    case $word in
      *[\"\$\`\\!]*) text+=" '${word//\'/\'\\\'\'}'" ;;
      ''|*[!A-Za-z0-9_./:@%+=,-]*) text+=" \"$word\"" ;;
      *) text+=" $word" ;;
    esac
  done
  printf '%s' "${text# }"
}

# run COMMAND...: runs it, or prints it in a dry run. What it says is shown only where it fails.
run() {
  if [ -n "$dry_run" ]; then echo "    $(shown "$@")"; return 0; fi
  "$@" > "$work/out" 2> "$work/err" < /dev/null || stop "$@"
}

# capture VARIABLE IN_A_DRY_RUN COMMAND...: the same, and its output becomes the variable.
capture() {
  local -n into=$1
  if [ -n "$dry_run" ]; then
    into=$2
    echo "    $(shown "${@:3}")    # -> $1"
    return 0
  fi
  run "${@:3}"
  into=$(< "$work/out")
}

is_refused() {
  grep -qE 'AuthorizationPermissionMismatch|required permissions|AuthorizationFailure|not authorized to perform' "$work/err"
}

# run_once_allowed COMMAND...: a role that was given a moment ago takes minutes to count.
run_once_allowed() {
  if [ -n "$dry_run" ]; then run "$@"; return 0; fi
  local until=$((SECONDS + role_wait_s)) told=''
  until "$@" > "$work/out" 2> "$work/err" < /dev/null; do
    if ! is_refused || [ $SECONDS -ge $until ]; then stop "$@"; fi
    [ -n "$told" ] || echo "    waiting for a new role to count (up to $((role_wait_s / 60)) minutes)"
    told=1
    sleep "$poll_s"
  done
}

advice() {
  local said
  said=$(cat "$work/err" "$work/out" 2> /dev/null)
  case $said in
    *'az login'*|*AADSTS*) echo "log in: az login (and az account set --subscription ID, where there are several)" ;;
    *roleAssignments/write*) echo "your account may not give roles. It needs Owner on the subscription or group, or Contributor and Role Based Access Control Administrator" ;;
    *AuthorizationFailed*) echo "your account may not do this. It needs Contributor, and Role Based Access Control Administrator, on the subscription or group" ;;
    *AlreadyTaken*|*AlreadyInUse*|*NameNotAvailable*|*'already in use'*|*'not available'*name*) echo "a name belongs to somebody else: choose another --suffix" ;;
    *MissingSubscriptionRegistration*) echo "register what the message names: az provider register --wait --namespace NAMESPACE" ;;
    *LocationNotAvailable*|*'not available in this region'*|*'not available for resource'*) echo "the region lacks a service: choose another --location (az functionapp list-flexconsumption-locations; az provider show --namespace Microsoft.App)" ;;
    *QuotaExceeded*|*MaxNumberOf*|*quota*) echo "a quota is used up: ask for more in the portal, or choose another --location" ;;
    *RequestDisallowedByPolicy*) echo "a policy of your organization forbids it: its administrator knows which, and the message names it" ;;
    *RoleAssignmentUpdateNotPermitted*) echo "something was deleted by hand and its role stayed: delete that in the portal (Access control, identity not found)" ;;
    *PrincipalNotFound*) echo "a new identity is not known everywhere yet: wait a minute" ;;
    *BCP[0-9]*|*InvalidTemplate*) echo "the template was refused: az bicep upgrade, and tell us of the message above" ;;
    *) echo "$step_hint" ;;
  esac
}

# stop COMMAND...: the end, where a command failed.
stop() {
  {
    echo
    cat "$work/err" 2> /dev/null || true
    echo "deploy.sh stopped in step $step of $steps ($step_name). This failed:"
    echo "    $(shown "$@")"
    echo "What to do: $(advice)."
    echo "Nothing was undone. Then give the same command again: what is there already stays."
  } >&2
  exit 1
}

# give_up SENTENCE: the end, where no command failed but what it found is not right.
give_up() {
  : > "$work/err"; : > "$work/out"
  echo "deploy.sh stopped in step $step of $steps ($step_name): $1." >&2
  echo "What to do: $step_hint." >&2
  exit 1
}
