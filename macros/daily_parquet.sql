{#- Days that are worked on at once: what bounds memory over a long history. -#}
{%- macro days_per_batch() -%}
    {{ return(120) }}
{%- endmacro -%}

{% macro publisher_step(step, relation, config={}) %}
    {% do adapter.store_relation(
        'publisher', relation, [], step, 'parquet', config
    ) %}
{% endmacro %}

{% materialization daily_parquet, adapter="duckdb" %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set contract = model.columns.values() | list -%}
    {%- set batch_relation = api.Relation.create(
        schema='publishing', identifier=this.identifier ~ '_batch', type='table'
    ) -%}

    {{ run_hooks(pre_hooks) }}

    {%- set stale = [] -%}
    {#- `--empty` builds from nothing: it must not publish nothing. -#}
    {%- if not flags.EMPTY -%}
        {% do publisher_step('plan', this) %}
        {% do stale.extend(run_query(stale_days_sql(this.identifier)).rows) %}
    {%- endif -%}
    {#- One day tells the columns as well as all of them. -#}
    {% do run_query(show_landing_sql(stale[:1] | map(attribute=0) | list)) %}
    {{ get_assert_columns_equivalent(sql) }}

    {%- set failed = [] -%}
    {%- if not flags.EMPTY -%}
        {%- for batch in stale | batch(days_per_batch()) -%}
            {% do run_query(show_landing_sql(batch | map(attribute=0) | list)) %}
            {% do run_query(
                batch_sql(batch_relation, sql, contract, batch | map(attribute=0))
            ) %}
            {%- set reasons = {} -%}
            {%- for row in run_query(audit_sql(batch_relation)).rows -%}
                {% do reasons.update({row[0] | string: row[1]}) %}
            {%- endfor -%}
            {%- set copies = [] -%}
            {%- for row in batch -%}
                {%- if row[0] | string in reasons -%}
                    {% do failed.append({
                        'dataset': this.identifier,
                        'day': row[0] | string,
                        'path': row[1],
                        'reason': reasons[row[0] | string],
                    }) %}
                {%- else -%}
                    {% do copies.append(copy_sql(batch_relation, contract, row)) %}
                {%- endif -%}
            {%- endfor -%}
            {%- if copies -%}
                {#- A column in which DuckDB knows no NULL becomes a required one,
                    so that a file's bytes would depend on the other days of its
                    batch. A row without a day is in no file, but has NULLs. -#}
                {% do run_query(
                    'insert into ' ~ batch_relation
                    ~ ' (date_partition) values (null)'
                ) %}
                {% do run_query(copies | join(';\n')) %}
            {%- endif -%}
            {% do run_query('drop table ' ~ batch_relation) %}
        {%- endfor -%}
        {% do run_query(show_landing_sql()) %}
        {% do publisher_step('publish', this, {'dataset': this.identifier}) %}
    {%- endif -%}

    {% call statement('main') -%}
        select count(*) as published_days
        from publishing.published_days
        where dataset = '{{ this.identifier }}'
    {%- endcall %}

    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}

    {%- if failed -%}
        {% do publisher_step('reject', this, {'failed': failed}) %}
        {{ exceptions.raise_compiler_error(
            failed | length ~ ' day(s) failed the audit and were not published: '
            ~ failed[0].day ~ ': ' ~ failed[0].reason
        ) }}
    {%- endif -%}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{% macro stale_days_sql(dataset) %}
    select
        day,
        path,
        staged,
        schema_version,
        source_fingerprint,
        model_fingerprint,
        landed_records,
    from publishing.stale_days
    where dataset = '{{ dataset }}'
    order by day
{% endmacro %}

{#- Lets the landing's views show the parts of some days only: to pick these out
    of a long history takes its time. A variable is this connection's own: models
    may run side by side. -#}
{% macro show_landing_sql(days=[]) %}
    {%- for node in graph.sources.values()
        if node.source_name == 'landing' and node.name != 'landed_days' %}
        {%- if days %}
    set variable landing_{{ node.name }} = (
        select coalesce(
            list(path) filter (
                day in (
                    {%- for day in days %}
                    date '{{ day }}'{{ ',' if not loop.last }}
                    {%- endfor %}
                )
            ),
            {#- One that is of no day of these, and so is not opened. #}
            list(path)[:1]
        )
        from publishing.landed_parts
        where source = '{{ node.name }}'
    );
        {%- else %}
    reset variable landing_{{ node.name }};
        {%- endif %}
    {%- endfor %}
{% endmacro %}

{% macro batch_sql(relation, sql, contract, days) %}
    {#- The day first, then what compresses best, then all the rest: rows in a
        total order make files that are the same byte for byte. -#}
    {%- set sort = ['date_partition'] + config.get('meta').get('order_by', []) -%}
    create or replace table {{ relation }} as
    select
        {%- for column in contract %}
        "{{ column.name }}",
        {%- endfor %}
    from (
        {{ sql }}
    )
    where date_partition in (
        {%- for day in days %}
        date '{{ day }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
    order by
        {%- for name in sort %}
        "{{ name }}",
        {%- endfor %}
        {%- for column in contract if column.name not in sort %}
        "{{ column.name }}"{{ ',' if not loop.last }}
        {%- endfor %}
{% endmacro %}

{% macro audit_sql(relation) %}
    {#- One row per day that breaks its contract, with the first reason. -#}
    with violations as (
        {{ contract_violations(relation, **contract_rules(model)) }}
    )
    select date_partition as day, min(rule) as reason
    from violations
    group by date_partition
{% endmacro %}

{% macro copy_sql(relation, contract, row) %}
    {#- Version 2 would be smaller by a tenth, but Spark's reader does not know the
        encoding that DuckDB chooses for a DOUBLE in it. -#}
    {%- set quoted_path = row[2] | replace("'", "''") -%}
    copy (
        select * from {{ relation }}
        where date_partition is not distinct from date '{{ row[0] }}'
    ) to '{{ quoted_path }}' (
        format parquet,
        compression snappy,
        parquet_version v1,
        kv_metadata {
            schema_version: '{{ row[3] }}',
            source_fingerprint: '{{ row[4] }}',
            model_fingerprint: '{{ row[5] }}',
            landed_records: '{{ row[6] }}'
        }
    )
{% endmacro %}
