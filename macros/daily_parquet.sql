{#- A model of this materialization yields the columns of its contract and two
    more, by which the audit counts: `landing_source`, the source of the landed
    record that a row stands for (NULL if for none), and `outcome`, of which only
    `published` goes into the files. -#}

{% materialization daily_parquet, adapter="duckdb" %}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set contract = model.columns.values() | list -%}
    {#- In no file of a database: raw inputs stand in them. -#}
    {%- set batch = 'temp."' ~ this.identifier ~ '_batch"' -%}
    {%- set rows = 'temp."' ~ this.identifier ~ '_rows"' -%}

    {{ run_hooks(pre_hooks) }}

    {{ get_assert_columns_equivalent(published_rows_sql('(' ~ sql ~ ')')) }}

    {#- `--empty` builds from nothing: it must not publish nothing. -#}
    {%- if not flags.EMPTY -%}
        {%- set unsorted = 'temp."' ~ this.identifier ~ '_unsorted"' -%}
        {%- set sort = sorted_sql(unsorted, contract, ['date_partition']) -%}
        {% do adapter.store_relation(
            'publisher', this, [], model.config.meta.path, 'parquet', {
                'make': batch_sql(
                    unsorted, sql, contract, keeps_inputs(this.identifier),
                    keeps_missing_rows(this.identifier)
                ),
                'cut': slices_sql(unsorted, contract, ['date_partition']),
                'sort': 'create or replace temp table ' ~ batch ~ ' as ' ~ sort,
                'sort_next': 'insert into ' ~ batch ~ ' ' ~ sort,
                'show': 'drop table ' ~ unsorted ~ ';' ~ rows_sql(rows, batch),
                'audit': audit_sql(batch, rows),
                'count': count_missing_sql(batch, contract),
                'copy': copy_sql(rows, of_publishing_day()),
                'drop': 'drop view ' ~ rows ~ '; drop table ' ~ batch,
            }
        ) %}
    {%- endif -%}

    {% call statement('main') -%}
        select count(*) as published_days
        from publishing.published_days
        where dataset = '{{ this.identifier }}'
    {%- endcall %}

    {{ run_hooks(post_hooks) }}
    {% do persist_docs(target_relation, model) %}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}


{% macro published_rows_sql(relation) -%}
    select * exclude (landing_source, outcome)
    from {{ relation }}
    where outcome in ('published', 'missing')
{%- endmacro %}

{#- Whether the rows of some inputs are taken from the published files. -#}
{% macro keeps_inputs(dataset) %}
    {%- if not flags.EMPTY -%}
        {{ return(run_query(
            "select count(*) from publishing.kept_inputs where dataset = '"
            ~ dataset ~ "'"
        ).rows[0][0] > 0) }}
    {%- endif -%}
{% endmacro %}

{#- Whether rows of published files stay where their record is landed no more. -#}
{% macro keeps_missing_rows(dataset) %}
    {%- if not flags.EMPTY -%}
        {{ return(run_query(
            "select count(*) from publishing.compared_days where dataset = '"
            ~ dataset ~ "'"
        ).rows[0][0] > 0) }}
    {%- endif -%}
{% endmacro %}

{% macro batch_sql(
    relation, sql, contract, keeps_inputs=false, keeps_missing=false
) %}
    create or replace temp table {{ relation }} as
    with batch as (
        from (
            {{ sql }}
        )
        where date_partition in getvariable('publishing_days')
    )
    {%- if keeps_inputs -%}
    , {{ kept_rows_ctes() }}
    {%- endif -%}
    , made as (
        from {{ 'with_kept' if keeps_inputs else 'batch' }}
    )
    {%- if keeps_missing -%}
    , {{ missing_rows_ctes(contract) }}
    {%- endif %}
    select
        {%- for column in contract %}
        "{{ column.name }}",
        {%- endfor %}
        landing_source,
        outcome,
    from (
        from made
        {%- if keeps_missing %}
        union all by name
        select
            *,
            null as landing_source,
            'missing' as outcome,
        from missing
        {%- endif %}
    )
{% endmacro %}

{#- All columns, `first` and then what compresses best before the others: rows in a
    total order make files that are the same byte for byte. -#}
{% macro sort_columns(contract, first) %}
    {%- set names = first + config.get('meta').get('order_by', []) -%}
    {{ return(names + (
        contract | map(attribute='name') | reject('in', names) | list
    )) }}
{% endmacro %}

{#- What a row is sorted by, as one value. -#}
{% macro sort_key(contract, first) -%}
    create_sort_key(
        {%- for name in sort_columns(contract, first) %}
        "{{ name }}", 'ASC NULLS LAST'{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- The rows of a slice in their order; all of them, where no slice is set. To sort
    takes the more memory the more rows there are, on the disk or not. -#}
{% macro sorted_sql(unsorted, contract, first) %}
    {%- set key = sort_key(contract, first) -%}
    {%- set from_key = "getvariable('publishing_from')" -%}
    {%- set to_key = "getvariable('publishing_to')" %}
    from {{ unsorted }}
    where
        ({{ from_key }} is null or {{ key }} >= {{ from_key }})
        and ({{ to_key }} is null or {{ key }} < {{ to_key }})
    order by
        {%- for name in sort_columns(contract, first) %}
        "{{ name }}"{{ ',' if not loop.last }}
        {%- endfor %}
{% endmacro %}

{#- The keys at which slices of about as many rows begin, but for the first. -#}
{% macro slices_sql(unsorted, contract, first) %}
    with some_keys as (
        select {{ sort_key(contract, first) }} as key
        from {{ unsorted }}
        using sample reservoir(1000 rows) repeatable (1)
    ),

    cut as (
        select
            key,
            ntile(getvariable('publishing_slices')) over (order by key) as slice,
        from some_keys
    )

    select min(key) as key
    from cut
    where slice > 1
    group by slice
    order by key
{% endmacro %}

{#- `batch`, with the published rows of some inputs in place of what is landed of
    them. -#}
{% macro kept_rows_ctes() %}
    {%- set meta = config.get('meta') -%}
    kept as (
        select
            day,
            input,
        from publishing.kept_inputs
        where dataset = '{{ this.identifier }}'
    ),
    kept_beside_others as (
        from batch
        anti join kept
            on date_partition = day and {{ meta.get('row_input') }} = input
        union all by name
        select
            *,
            null as landing_source,
            'published' as outcome,
        from {{ this }}
        semi join kept
            on date_partition = day and {{ meta.get('row_input') }} = input
        where date_partition in getvariable('publishing_days')
    ),
    with_kept as (
        {%- if meta.get('duplicate_if') %}
        select
            * replace (
                if(
                    outcome = 'published' and {{ meta.get('duplicate_if') }},
                    'duplicate', outcome
                ) as outcome
            ),
        {%- endif %}
        from kept_beside_others
    )
{%- endmacro %}

{#- Rows of the published files whose landed record `made` knows no more. Rows of
    files that are landed as a whole are none: their file says what is in it. -#}
{% macro missing_rows_ctes(contract) %}
    {%- set meta = config.get('meta') -%}
    {%- set record = meta.get('told_apart_by') -%}
    {%- set for_this = "where dataset = '" ~ this.identifier ~ "'" -%}
    compared as (
        select day as date_partition
        from publishing.compared_days
        {{ for_this }}
    ),
    before as (
        from {{ this }}
        semi join compared using (date_partition)
        {%- if meta.get('row_input') %}
        anti join (
            select
                day,
                input,
            from publishing.landed_files
            {{ for_this }}
        ) on date_partition = day and {{ meta.get('row_input') }} = input
        {%- endif %}
        where date_partition in getvariable('publishing_days')
    ),
    missing as (
        {%- if record == 'row' %}
        select
            {%- for column in contract %}
            "{{ column.name }}",
            {%- endfor %}
        from before
        except all
        select
            {%- for column in contract %}
            "{{ column.name }}",
            {%- endfor %}
        from made
        where outcome = 'published'
        {%- else %}
        from before
        anti join (
            from made
            where outcome = 'published'
        ) as now
            on
                before.date_partition = now.date_partition
                {%- for name in record %}
                and before."{{ name }}" is not distinct from now."{{ name }}"
                {%- endfor %}
        {%- endif %}
    )
{%- endmacro %}

{#- How many rows are kept, by day and the dataset of their record. -#}
{% macro count_missing_sql(batch, contract) %}
    select
        date_partition,
        {{ 'dataset' if 'dataset' in contract | map(attribute='name')
            else "'" ~ this.identifier ~ "'" }} as dataset,
        count(*) as missing_rows,
    from {{ batch }}
    where outcome = 'missing'
    group by all
    order by all
{%- endmacro %}

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

{% macro of_publishing_day() -%}
    date_partition is not distinct from getvariable('publishing_day')
{%- endmacro %}

{#- Writes those rows of a relation that are one file. -#}
{% macro copy_sql(relation, condition) %}
    {#- Version 2 would be smaller by a tenth, but Spark's reader does not know the
        encoding that DuckDB chooses for a DOUBLE in it. -#}
    copy (
        from {{ relation }}
        where {{ condition }}
    ) to (getvariable('publishing_path')) (
        format parquet,
        compression snappy,
        parquet_version v1,
        kv_metadata (getvariable('publishing_footer'))
    )
{% endmacro %}
