/* A cfg as the look before a training reads it. Lines rise, sections are counted, no key has a blank in it; the checks
 * of [net] and of the heads' classes end with problems or with numbers that a network can be made of. */
#include "fuzz.h"

#include "train/cfg_check.h"

#include <string.h>

void fuzz(const uint8_t *data, size_t size)
{
    cfg_file cfg;
    problems list = {0};
    const char *path = fuzz_file(data, size);
    char *text = fuzz_text(data, size);
    size_t i;
    if (!cfg_file_read(path, &cfg, &list) && cfg.sections) {
        for (i = 0; i < cfg.count; ++i) {
            const cfg_entry *e = cfg.entries + i;
            MUST(e->section >= 0 && e->section < cfg.sections && !strpbrk(e->key, " \t\r\n"));
            MUST(!i || (e->line > e[-1].line && e->section >= e[-1].section));
            MUST(cfg_find(&cfg, e->section, e->key) <= e);
        }
        if (!check_sizes(&cfg, &list) && !strstr(text, "map")) {
            detector_classes classes;
            check_net_section(&cfg, cfg_is_detector(&cfg), &list);
            classes = cfg_classes(&cfg, &list);
            MUST(list.count || !cfg_is_detector(&cfg) || classes.classes > 0);
        }
    }
    end_problems(&list);
    cfg_file_free(&cfg);
    free(text);
}
