{#- What a mart knows beside its rows: where it is, and when. Both are asked for
    when it is made, so that neither makes dbt parse anything anew. -#}

{#- The present moment, UTC; the same for all marts of a run. -#}
{%- macro as_of() -%}
{{ adapter.dispatch('as_of', 'ops_atomic')() }}
{%- endmacro -%}

{%- macro default__as_of() -%}
publishing.as_of()
{%- endmacro -%}

{%- macro spark__as_of() -%}
publishing_as_of
{%- endmacro -%}


{#- The machine that a row of an export is of. On one machine it is the same for
    all; a fleet's exports have a column of this name. -#}
{%- macro machine() -%}
{{ adapter.dispatch('machine', 'ops_atomic')() }}
{%- endmacro -%}

{%- macro default__machine() -%}
{{ 'machine' if target.name == 'fleet' else 'publishing.machine()' }}
{%- endmacro -%}

{%- macro spark__machine() -%}
machine
{%- endmacro -%}


{#- A SELECT of the machines that there are: of one machine itself, even where it
    has nothing to show yet; of a fleet those that an export has rows of. -#}
{%- macro machines_of(export) -%}
{{ adapter.dispatch('machines_of', 'ops_atomic')(export) }}
{%- endmacro -%}

{%- macro default__machines_of(export) -%}
select{{ ' distinct' if target.name == 'fleet' }} {{ machine() }} as machine
{%- if target.name == 'fleet' %} from {{ export }}{% endif %}
{%- endmacro -%}

{%- macro spark__machines_of(export) -%}
select distinct machine from {{ export }}
{%- endmacro -%}
