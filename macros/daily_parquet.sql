{#- A model of this materialization yields the columns of its contract and two
    more, by which the audit counts: `landing_source`, the source of the landed
    record that a row stands for (NULL if for none), and `outcome`, of which only
    `published` goes into the files. -#}

{% materialization daily_parquet, adapter="duckdb" %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set contract = model.columns.values() | list -%}
    {%- set relations = batch_relations() -%}

    {{ run_hooks(pre_hooks) }}

    {%- set rows = published_rows_sql('(' ~ sql ~ ')') -%}
    {#- `--empty` builds from nothing: it must not publish nothing. -#}
    {%- if flags.EMPTY -%}
        {{ get_assert_columns_equivalent(rows) }}
    {%- else -%}
        {% do adapter.store_relation(
            'publisher', this, [], model.config.meta.path, 'parquet', dict(
                batch_statements(
                    relations, contract, ['landing_source', 'outcome'],
                    ['date_partition'],
                    rows_sql(relations.published, relations.sorted),
                    of_publishing_day()
                ),
                make=batch_sql(relations.unsorted, sql),
                make_keeping=keeping_batch_sql(relations.unsorted, sql, contract),
                yields=rows,
                audit=audit_sql(relations.sorted, relations.published),
                count=count_missing_sql(relations.sorted, contract)
            )
        ) %}
    {%- endif -%}

    {% do store_raw_result('main', 'OK', code='OK', rows_affected=none) %}

    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro published_rows_sql(relation) -%}
    select * exclude (landing_source, outcome)
    from {{ relation }}
    where outcome in ('published', 'missing')
{%- endmacro %}

{#- All columns, more or others than those of the contract, too: it is by the table
    that the model is held to it. -#}
{% macro batch_sql(relation, sql) %}
    create or replace temp table {{ relation }} as
    from (
        {{ sql }}
    )
    where date_partition in getvariable('publishing_days')
{% endmacro %}

{% macro keeping_batch_sql(relation, sql, contract) %}
    {%- set meta = config.get('meta') %}
    {%- set duplicate_if = meta.get('duplicate_if') %}
    create or replace temp table {{ relation }} as
    with batch as (
        from (
            {{ sql }}
        )
        where date_partition in getvariable('publishing_days')
    )
    {%- if meta.get('row_input') -%}
    , {{ kept_rows_ctes() }}
    {%- endif -%}
    , made as (
        from {{ 'with_kept' if meta.get('row_input') else 'batch' }}
    )
    {%- if meta.get('told_apart_by') -%}
    , {{ missing_rows_ctes(contract) }}
    {%- endif %}
    select
        {%- if duplicate_if %}
        * replace (if(
            outcome in ('published', 'missing') and {{ duplicate_if }},
            'duplicate', outcome
        ) as outcome),
        {%- else %}
        *
        {%- endif %}
    from (
        from made
        {%- if meta.get('told_apart_by') %}
        union all by name
        select
            *,
            null as landing_source,
            'missing' as outcome,
        from missing
        {%- endif %}
    )
{% endmacro %}

{% macro rows_sql(relation, batch) %}
    {#- A column in which DuckDB knows no NULL becomes a required one, so that a
        file's bytes would depend on the other days of its batch. A row without a
        day is in no file, but has NULLs. #}
    insert into {{ batch }} (outcome) values ('published');
    create or replace temp view {{ relation }} as
    {{ published_rows_sql(batch) }}
{% endmacro %}

{% macro audit_sql(batch, published) %}
    {#- One row per day that breaks its contract, or of which not every landed
        record is accounted for, with the reasons. -#}
    with violations as (
        {{ contract_violations(published, **contract_rules(model)) }}
    ),

    counted as (
        select
            date_partition as day,
            landing_source as source,
            count(*) as counted_records,
            count(*) filter (outcome = 'published') as published_records,
        from {{ batch }}
        where landing_source is not null
        group by date_partition, landing_source
    ),

    expected as (
        select
            day,
            source,
            landed_records,
        from publishing.expected_records
        where
            dataset = '{{ this.identifier }}'
            and day in getvariable('publishing_days')
    ),

    miscounts as (
        select
            day,
            format(
                '{} of the {} landed records of {} are accounted for ({} '
                || 'published)',
                coalesce(counted_records, 0),
                coalesce(landed_records, 0),
                source,
                coalesce(published_records, 0)
            ) as reason,
        from expected
        full join counted using (day, source)
        where coalesce(landed_records, 0) != coalesce(counted_records, 0)
    ),

    reasons as (
        select
            day,
            reason,
        from miscounts
        union all
        select
            date_partition as day,
            rule as reason,
        from violations
    )

    select
        day,
        string_agg(reason, '; ' order by reason) as reason,
    from reasons
    where day is not null
    group by day
{% endmacro %}
