{#- A mart as published files: one a day, or one in all. What of it is stale is found
    when its turn comes: only then have its inputs their final files. -#}

{% materialization mart_parquet, adapter="duckdb" %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set relations = batch_relations() -%}
    {%- set contract = model.columns.values() | list -%}
    {%- set is_daily = model.config.meta.kind == 'daily' -%}

    {{ run_hooks(pre_hooks) }}

    {#- `--empty` builds from nothing: it must not publish nothing. -#}
    {%- if flags.EMPTY -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- else -%}
        {% do adapter.store_relation(
            'publisher', this, [], model.config.meta.path, 'parquet', dict(
                batch_statements(
                    relations, contract, ['is_row'],
                    ['date_partition'] if is_daily else [],
                    mart_rows_sql(relations.published, relations.sorted),
                    of_publishing_day() if is_daily else 'true'
                ),
                make=mart_batch_sql(relations.unsorted, sql),
                yields=sql,
                audit=mart_audit_sql(relations.published, is_daily)
            )
        ) %}
    {%- endif -%}

    {% do store_raw_result('main', 'OK', code='OK', rows_affected=none) %}

    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro mart_batch_sql(relation, sql) %}
    create or replace temp table {{ relation }} as
    select
        *,
        true as is_row,
    from (
        {{ sql }}
    )
{% endmacro %}

{% macro mart_rows_sql(relation, batch) %}
    {#- A column in which DuckDB knows no NULL becomes a required one, so that a
        file's bytes would depend on the other days of its batch. #}
    insert into {{ batch }} (is_row) values (false);
    create or replace temp view {{ relation }} as
    select * exclude (is_row)
    from {{ batch }}
    where is_row
{% endmacro %}

{#- One row per day that breaks its contract, with the reasons; of a mart that is
    one file the day is NULL. -#}
{% macro mart_audit_sql(relation, is_daily) %}
    with made as (
        select
            *,
            {{ 'date_partition' if is_daily else 'null::date' }} as day,
        from {{ relation }}
    ),

    violations as (
        {{ contract_violations('made', day='day', **contract_rules(model)) }}
    )

    select
        day,
        string_agg(rule, '; ' order by rule) as reason,
    from violations
    group by day
{% endmacro %}
