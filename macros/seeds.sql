{#- Seeds are small files of the project: what a build uses is what they hold now,
    whatever the command, and whether or not the seeds are among what is built.
    Over those with a `settings_key` lie the operator's own settings. -#}

{#- A seed as a table, straight from its file, or from what is in force of it.
    Cells are text, but for columns to
    which `column_types` gives another type; an empty one is NULL. -#}
{% macro seed_sql(node) -%}
    {#- In a path these would act as a pattern. -#}
    {%- set path = (node.root_path ~ '/' ~ node.original_file_path)
        | replace("'", "''")
        | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]') -%}
    {%- set types = [] -%}
    {%- for name, type in node.config.get('column_types', {}).items()
        if type | lower != 'varchar' -%}
        {%- do types.append(
            'cast("' ~ name ~ '" as ' ~ type ~ ') as "' ~ name ~ '"'
        ) -%}
    {%- endfor -%}
    create or replace table "{{ node.schema }}"."{{ node.alias }}" as
    select *{{ ' replace (' ~ types | join(', ') ~ ')' if types }}
    {%- if node.config.get('meta', {}).get('settings_key') %}
    from settings."{{ node.name }}"
    {%- else %}
    from read_csv(
        '{{ path }}',
        header = true, all_varchar = true, hive_partitioning = false,
        delim = ',', quote = '"', escape = '"'
    )
    {%- endif %}
{%- endmacro %}

{% macro load_seeds() %}
    {#- On Spark each mart is shown those that it reads when it is made. -#}
    {%- if execute and target.name != 'spark' -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'seed' %}
    create schema if not exists "{{ node.schema }}";
    {{ seed_sql(node) }};
        {%- endfor %}
    {%- endif -%}
{% endmacro %}

{% materialization seed, adapter="duckdb" %}
    {#- For `dbt seed --show`, which asks for it. -#}
    {% do store_result(
        'agate_table', response='OK', agate_table=load_agate_table()
    ) %}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {{ seed_sql(model) }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {%- set relation = this.incorporate(type='table') -%}
    {% do persist_docs(relation, model) %}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
