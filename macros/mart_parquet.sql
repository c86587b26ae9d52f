{#- A mart as published files: one a day, or one in all. What is stale of it is found
    when its turn comes, because its inputs have their final files only then. -#}

{% materialization mart_parquet, adapter="duckdb" %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set rows = 'temp."' ~ this.identifier ~ '_rows"' -%}

    {{ run_hooks(pre_hooks) }}

    {{ get_assert_columns_equivalent(sql) }}

    {#- `--empty` builds from nothing: it must not publish nothing. -#}
    {%- if not flags.EMPTY -%}
        {% do adapter.store_relation(
            'publisher', this, [], model.config.meta.path, 'parquet', {
                'make': mart_rows_sql(
                    rows, sql, model.columns.values() | list, model.config.meta
                ),
                'audit': mart_audit_sql(rows, model.config.meta),
                'copy': mart_copy_sql(rows, model.config.meta),
                'drop': 'drop table ' ~ rows,
            }
        ) %}
    {%- endif -%}

    {% call statement('main') -%}
        select 1 as published
    {%- endcall %}

    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{#- Rows in a total order make files that are the same byte for byte. -#}
{% macro mart_rows_sql(relation, sql, contract, meta) %}
    {%- set sort = (['date_partition'] if meta.kind == 'daily' else [])
        + meta.get('order_by', []) -%}
    create or replace temp table {{ relation }} as
    select
        {%- for column in contract %}
        "{{ column.name }}",
        {%- endfor %}
    from (
        {{ sql }}
    )
    order by
        {%- for name in sort %}
        "{{ name }}",
        {%- endfor %}
        {%- for column in contract if column.name not in sort %}
        "{{ column.name }}",
        {%- endfor %};
    {#- A column in which DuckDB knows no NULL becomes a required one, so that a
        file's bytes would depend on the other days of its batch. #}
    insert into {{ relation }}
    select
        {%- for column in contract %}
        null,
        {%- endfor %}
{% endmacro %}

{#- One row per day that breaks its contract, with the reasons; of a mart that is
    one file its day is NULL. -#}
{% macro mart_audit_sql(relation, meta) %}
    {%- set day = 'date_partition' if meta.kind == 'daily' else 'null::date' -%}
    with violations as (
        {{ contract_violations(
            '(select *, ' ~ day ~ ' as day from ' ~ relation ~ ' where machine is not null)', day='day', **contract_rules(model)
        ) }}
    )

    select
        day,
        string_agg(rule, '; ' order by rule) as reason,
    from violations
    group by day
{% endmacro %}

{% macro mart_copy_sql(relation, meta) %}
    {{ parquet_sql(
        relation,
        "date_partition is not distinct from getvariable('publishing_day')"
        if meta.kind == 'daily' else 'machine is not null'
    ) }}
{% endmacro %}
