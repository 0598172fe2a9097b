# bash completion for vmailadm(8). It asks the program itself for commands and
# options, so that there is nothing here to keep up.
# shellcheck shell=bash

# Option $1 of command $2: what its value is called; nothing for a flag.
_vmailadm_value() {
	awk -F '\t' -v word="$1" -v command="$2" '
		($1 == "" || $1 == command) && $3 != "" &&
		    ($2 == word || $3 == word) { print $4; exit }
	' <<<"$_vmailadm_list"
}

# The first operand among the words before the cursor.
_vmailadm_command() {
	local word skip=''
	for word in "$@"; do
		if [ -n "$skip" ]; then
			skip=''
		elif [[ $word == -* ]]; then
			[[ $word == *=* ]] || skip=$(_vmailadm_value "$word" '')
		else
			printf '%s' "$word"
			return
		fi
	done
}

_vmailadm_domains() {
	vmailadm list --output=csv -o domain 2>/dev/null | sed 1d | sort -u
}

_vmailadm_values() {
	case $1 in
	FILE) compgen -f -- "$2" ;;
	FORM) if [ "$3" = --for ]; then
		echo compose podman quadlet nspawn mount kubernetes
	else
		echo table json csv
	fi ;;
	PID) compgen -f -- "/proc/$2" | sed -n 's,^/proc/\([0-9]*\)$,\1,p' ;;
	SCHEME) vmailadm hash --list --output=csv 2>/dev/null |
		sed '1d;s/,.*//' ;;
	VERSION) echo 2.3 2.4 ;;
	STYLE) echo file modules ;;
	VIEW) awk '!/^#/ && NF == 4 { print $1 }' /etc/vmail/views \
		2>/dev/null ;;
	FORMAT) echo passwd-file jsonl ;;
	DOMAIN) _vmailadm_domains ;;
	LIST) echo user domain uid gid gecos home shell scheme locked extra ;;
	esac
}

# The first operand is one of $2; what follows it, of $1, stands in $4.
_vmailadm_parts() {
	local part
	part=$(awk -v all="|$2|" '{
		for (i = 1; i <= NF; i++)
			if (index(all, "|" $i "|")) { print $i; exit }
	}' <<<"$4")
	case $1-$part in
	idmap-of) _vmailadm_values PID "$3" ;;
	idmap-add | idmap-list) ;;
	idmap-?*) vmailadm idmap list --output=csv 2>/dev/null |
		sed '1d;s/,.*//' ;;
	*) [ -n "$part" ] || echo "${2//|/ }" ;;
	esac
}

_vmailadm_operands() {
	local operands
	operands=$(awk -F '\t' -v command="$1" '
		$1 == command && $3 == "" { print $4 }' <<<"$_vmailadm_list")
	case $operands in
	*USER* | *GLOB*) vmailadm list --output=csv -o user 2>/dev/null |
		sed 1d ;;
	*FILE*) compgen -f -- "$2" ;;
	*DOMAIN*) _vmailadm_domains ;;
	*CMD*) compgen -c -- "$2" ;;
	*'|'*) _vmailadm_parts "$1" "${operands%% *}" "$2" "$3" ;;
	esac
}

_vmailadm() {
	local _vmailadm_list before word command value option candidates prefix
	local -a words
	_vmailadm_list=$(vmailadm --list-options 2>/dev/null) || return
	before=${COMP_LINE:0:COMP_POINT}
	word=${before##*[[:space:]]}
	read -ra words <<<"${before%"$word"}"
	command=$(_vmailadm_command "${words[@]:1}")
	value=''
	prefix=''
	if [[ $word == --*=* ]]; then
		option=${word%%=*}
		value=$(_vmailadm_value "$option" "$command")
		prefix=${word%%=*}=
	elif [[ ${words[-1]} == -* && ${words[-1]} != *=* ]]; then
		option=${words[-1]}
		value=$(_vmailadm_value "$option" "$command")
	fi
	if [ -n "$value" ]; then
		candidates=$(_vmailadm_values "$value" "${word#"$prefix"}" \
			"$option")
	elif [[ $word == -* ]]; then
		candidates=$(awk -F '\t' -v command="$command" '
			($1 == "" || $1 == command) && $3 != "" { print $3 }
		' <<<"$_vmailadm_list")
	elif [ -z "$command" ]; then
		candidates=$(awk -F '\t' '$3 == "" { print $1 }' \
			<<<"$_vmailadm_list")
	else
		candidates=$(_vmailadm_operands "$command" "$word" \
			"${words[*]:1}")
	fi
	mapfile -t COMPREPLY < <(compgen -W "$candidates" -- \
		"${word#"$prefix"}")
	# The shell cuts words at '=' and '@' and replaces the last piece alone.
	local piece=${word##*[=@:]} i
	prefix=${word#"$prefix"}
	prefix=${prefix%"$piece"}
	for i in "${!COMPREPLY[@]}"; do
		COMPREPLY[i]=${COMPREPLY[i]#"$prefix"}
	done
}

complete -F _vmailadm vmailadm
