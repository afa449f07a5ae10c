#include "data/cfg_file.h"

#include "base/memory.h"
#include "base/text_line.h"
#include "data/lists.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void add_entry(cfg_file *cfg, const char *text, int line)
{
    cfg_entry entry;
    char *equals;
    entry.key = xstrdup(text);
    entry.section = cfg->sections - 1;
    entry.line = line;
    equals = *text == '[' ? 0 : strchr(entry.key, '=');
    if (equals) *equals = 0;
    entry.value = equals ? equals + 1 : entry.key + strlen(entry.key);
    cfg->entries = (cfg_entry *)grow_array(cfg->entries, cfg->count, &cfg->capacity, sizeof entry);
    cfg->entries[cfg->count++] = entry;
}

int cfg_file_read(const char *path, cfg_file *cfg, problems *list)
{
    text_lines lines;
    int i, status;
    memset(cfg, 0, sizeof *cfg);
    cfg->path = path;
    status = collect_text("cfg", path, &lines, list);
    for (i = 0; i < lines.count && !status; ++i) {
        char *line = lines.text[i];
        strip_cfg_line(line);
        if (!*line) continue;
        if (*line == '[') ++cfg->sections;
        if (!cfg->sections)
            status = add_problem(list, "%s:%d: a cfg begins with [net], not with %.40s: is this the right file?", path,
                                 i + 1, line);
        else
            add_entry(cfg, line, i + 1);
    }
    free_lines(&lines);
    return status;
}

void cfg_file_free(cfg_file *cfg)
{
    size_t i;
    for (i = 0; i < cfg->count; ++i) free(cfg->entries[i].key);
    free(cfg->entries);
    memset(cfg, 0, sizeof *cfg);
}

const cfg_entry *cfg_section(const cfg_file *cfg, int section)
{
    size_t i;
    for (i = 0; i < cfg->count; ++i)
        if (cfg->entries[i].section == section) return cfg->entries + i; /* its first line */
    return 0;
}

const cfg_entry *cfg_find(const cfg_file *cfg, int section, const char *key)
{
    size_t i;
    for (i = 0; i < cfg->count; ++i)
        if (cfg->entries[i].section == section && !strcmp(cfg->entries[i].key, key)) return cfg->entries + i;
    return 0;
}

int cfg_whole_number(const cfg_file *cfg, int section, const char *key, int otherwise)
{
    const cfg_entry *entry = cfg_find(cfg, section, key);
    const long number = entry ? strtol(entry->value, 0, 10) : otherwise;
    return number > INT_MAX ? INT_MAX : number < INT_MIN ? INT_MIN : (int)number;
}
