{#- What a mart knows beside its rows: where it is, and when. -#}

{#- The present moment, UTC: the var, else OPS_ATOMIC_AS_OF, else the start of the
    run, so that all marts of a run go by the same. -#}
{%- macro as_of() -%}
{%- set text = (var('as_of', none) or env_var('OPS_ATOMIC_AS_OF', ''))
    | string | trim -%}
{%- set at = modules.datetime.datetime.fromisoformat(text)
    if text else run_started_at -%}
{%- set utc = at - at.utcoffset() if at.tzinfo else at -%}
timestamp '{{ utc.strftime('%Y-%m-%d %H:%M:%S.%f') }}'
{%- endmacro -%}


{#- The machine that a row of an export is of. On one machine it is the same for
    all; a fleet's exports have a column of this name. -#}
{%- macro machine() -%}
{{ adapter.dispatch('machine', 'ops_atomic')() }}
{%- endmacro -%}

{%- macro default__machine() -%}
{%- set name = var('machine', none) or env_var('OPS_ATOMIC_MACHINE', '') -%}
cast('{{ name | replace("'", "''") }}' as string)
{%- endmacro -%}

{%- macro spark__machine() -%}
machine
{%- endmacro -%}
