#include "train/cfg_check.h"

#include "data/data_value.h"
#include "data/lists.h"

#include <stdlib.h>
#include <string.h>

/* ---- The heads of a detector ------------------------------------------------------------------------------------- */

/* The sections of heads, and their default of classes= (parse_yolo and the like in Darknet's parser.c). */
static const struct {
    const char *name;
    int classes;
    int most; /* default of max=, the objects of an image; 0: of [detection], which has a place for each cell */
} heads[] = {{"[yolo]", 20, 90}, {"[region]", 20, 30}, {"[detection]", 1, 0}};
enum { HEADS = sizeof heads / sizeof *heads };

/* Which of the heads the section is; HEADS where it is none. */
static int head_of(const cfg_entry *section)
{
    int i;
    for (i = 0; i < HEADS && strcmp(section->key, heads[i].name);) ++i;
    return i;
}

int cfg_is_detector(const cfg_file *cfg)
{
    int i;
    for (i = 0; i < cfg->sections; ++i)
        if (head_of(cfg_section(cfg, i)) < HEADS) return 1;
    return 0;
}

/* With map= the label files have other classes, as many as the map has lines. */
static int count_map_lines(const char *path, problems *list)
{
    text_lines lines;
    int count;
    collect_lines("map of classes", path, &lines, list);
    count = lines.count;
    free_lines(&lines);
    return count;
}

detector_classes cfg_classes(const cfg_file *cfg, problems *list)
{
    detector_classes found = {0, 0, 0};
    int i;
    for (i = 0; i < cfg->sections; ++i) {
        const cfg_entry *section = cfg_section(cfg, i), *map = cfg_find(cfg, i, "map");
        const int head = head_of(section);
        int classes;
        if (head == HEADS) continue;
        classes = cfg_whole_number(cfg, i, "classes", heads[head].classes);
        /* the loader takes that of the last head */
        found.most_objects = heads[head].most ? cfg_whole_number(cfg, i, "max", heads[head].most) : 0;
        if (classes < 1)
            add_problem(list, "%s:%d: classes=%s: must be a whole number above 0", cfg->path,
                        cfg_find(cfg, i, "classes")->line, cfg_find(cfg, i, "classes")->value);
        if (found.classes && classes != found.classes)
            add_problem(list, "%s:%d: %s has %d classes, but the head before it has %d: must be the same", cfg->path,
                        section->line, section->key, classes, found.classes);
        if (found.classes) continue;
        found.classes = found.label_classes = classes;
        if (map) found.label_classes = count_map_lines(map->value, list);
    }
    return found;
}

/* ---- [net] ------------------------------------------------------------------------------------------------------- */

/* The largest divisor of `batch` that is `most` at most. */
static int divisor_below(int batch, int most)
{
    int divisor = most < batch ? most : batch;
    while (divisor > 1 && batch % divisor) --divisor;
    return divisor;
}

/* Where the key stands; the section's line where there is none. */
static int line_of(const cfg_file *cfg, const char *key)
{
    const cfg_entry *entry = cfg_find(cfg, 0, key);
    return entry ? entry->line : cfg_section(cfg, 0)->line;
}

static void check_batch(const cfg_file *cfg, problems *list)
{
    const int batch = cfg_whole_number(cfg, 0, "batch", 1);
    const int subdivisions = cfg_whole_number(cfg, 0, "subdivisions", 1);
    const int batch_line = line_of(cfg, "batch"), line = line_of(cfg, "subdivisions");
    if (batch < 1)
        add_problem(list, "%s:%d: batch=%s: must be a whole number above 0", cfg->path, batch_line,
                    cfg_find(cfg, 0, "batch")->value);
    else if (subdivisions < 1)
        add_problem(list, "%s:%d: subdivisions=%s: must be a whole number above 0", cfg->path, line,
                    cfg_find(cfg, 0, "subdivisions")->value);
    else if (batch % subdivisions)
        add_problem(list, "%s:%d: subdivisions=%d %s batch=%d: write subdivisions=%d", cfg->path, line, subdivisions,
                    subdivisions > batch ? "is above" : "does not divide", batch, divisor_below(batch, subdivisions));
    else if (batch == 1)
        report_note("%s:%d: batch=1: an iteration trains a single image; published cfgs have this for testing, and "
                    "batch and subdivisions for training in a comment",
                    cfg->path, batch_line);
}

/* Darknet's loaders give every image this size and 3 channels, and copy it into the network without a look at its
 * input. */
static void check_input(const cfg_file *cfg, problems *list)
{
    static const char *const sides[] = {"width", "height"};
    const cfg_entry *channels = cfg_find(cfg, 0, "channels");
    size_t i;
    for (i = 0; i < sizeof sides / sizeof *sides; ++i) {
        const cfg_entry *side = cfg_find(cfg, 0, sides[i]);
        if (cfg_whole_number(cfg, 0, sides[i], 0) < 1)
            add_problem(list, "%s:%d: %s=%s: must be a whole number above 0", cfg->path, line_of(cfg, sides[i]),
                        sides[i], side ? side->value : "");
    }
    if (cfg_whole_number(cfg, 0, "channels", 0) != 3)
        add_problem(list, "%s:%d: channels=%s: must be 3, as images are loaded", cfg->path, line_of(cfg, "channels"),
                    channels ? channels->value : "");
}

/* The numbers of a list, behind which a comment may stand. */
static int count_items(const char *text)
{
    int count = 1;
    for (; *text && !strchr("#;", *text); ++text) count += *text == ',';
    return count;
}

/* Whether every number of a list is above the one before it. */
static int is_rising(const char *text)
{
    char *end;
    long before = strtol(text, &end, 10);
    while (*end == ',') {
        const long number = strtol(end + 1, &end, 10);
        if (number <= before) return 0;
        before = number;
    }
    return 1;
}

static void check_steps(const cfg_file *cfg, problems *list)
{
    const cfg_entry *steps = cfg_find(cfg, 0, "steps"), *scales = cfg_find(cfg, 0, "scales");
    int step_count, scale_count;
    if (!steps || !scales || !*steps->value || !*scales->value) {
        add_problem(list, "%s:%d: policy=steps needs steps= and scales=", cfg->path, line_of(cfg, "policy"));
        return;
    }
    if (!is_rising(steps->value))
        add_problem(list, "%s:%d: steps=%s: each must be above the one before it", cfg->path, steps->line,
                    steps->value);
    step_count = count_items(steps->value);
    scale_count = count_items(scales->value);
    if (step_count > scale_count)
        add_problem(list, "%s:%d: steps=%s has %d numbers, but scales=%s has %d: must be as many", cfg->path,
                    steps->line, steps->value, step_count, scales->value, scale_count);
    else if (step_count < scale_count)
        report_note("%s:%d: scales=%s has %d numbers, but steps=%s has %d: the last ones are not used", cfg->path,
                    scales->line, scales->value, scale_count, steps->value, step_count);
}

/* The policies of get_policy in Darknet's parser.c, which takes constant for any other word. */
static void check_policy(const cfg_file *cfg, problems *list)
{
    static const char *const policies[] = {"random", "poly", "constant", "step", "exp", "sigmoid", "steps", "cosine"};
    const cfg_entry *policy = cfg_find(cfg, 0, "policy");
    size_t i;
    if (!policy) return;
    for (i = 0; i < sizeof policies / sizeof *policies && strcmp(policy->value, policies[i]);) ++i;
    if (i == sizeof policies / sizeof *policies)
        add_problem(list,
                    "%s:%d: policy=%s is unknown: must be constant, steps, step, poly, cosine, exp, sigmoid or random",
                    cfg->path, policy->line, policy->value);
    else if (!strcmp(policy->value, "steps"))
        check_steps(cfg, list);
}

static void check_length(const cfg_file *cfg, int is_detector, problems *list)
{
    const int batches = cfg_whole_number(cfg, 0, "max_batches", 0), burn_in = cfg_whole_number(cfg, 0, "burn_in", 0);
    const int line = line_of(cfg, "max_batches");
    if (batches < 0 || (is_detector && !batches))
        add_problem(list, "%s:%d: max_batches %s: it must say how many iterations to train", cfg->path, line,
                    cfg_find(cfg, 0, "max_batches") ? "is not above 0" : "is missing in [net]");
    else if (batches && burn_in >= batches)
        report_note("%s:%d: burn_in=%d is not below max_batches=%d: the learning rate never gets to learning_rate",
                    cfg->path, line_of(cfg, "burn_in"), burn_in, batches);
}

int check_sizes(const cfg_file *cfg, problems *list)
{
    const cfg_entry *section = cfg_section(cfg, 0);
    if (!section || (strcmp(section->key, "[net]") && strcmp(section->key, "[network]")))
        return add_problem(list, "%s:%d: a cfg begins with [net]", cfg->path, section ? section->line : 1);
    check_batch(cfg, list);
    check_input(cfg, list);
    return 0;
}

void check_net_section(const cfg_file *cfg, int is_detector, problems *list)
{
    if (check_sizes(cfg, list)) return;
    check_policy(cfg, list);
    check_length(cfg, is_detector, list);
}

void check_tree(const cfg_file *cfg, const char *data_file, problems *list)
{
    data_value tree;
    text_lines lines;
    int i, ols = -1, has_tree = 0;
    if (data_value_find(data_file, "tree", &tree)) {
        add_printed_problem(list);
        return;
    }
    if (!tree.text) return;
    for (i = cfg->sections; i-- > 0;) {
        if (!strcmp(cfg_section(cfg, i)->key, "[ols]")) ols = i;
        has_tree |= cfg_find(cfg, i, "tree") != 0;
    }
    if (ols >= 0)
        add_problem(list, "%s:%d: tree=%s does not go together with [ols] (%s:%d), whose classes are one set",
                    data_file, tree.line, tree.text, cfg->path, cfg_section(cfg, ols)->line);
    else if (!has_tree)
        add_problem(list, "%s:%d: tree=%s needs tree=%s in the [softmax] of %s, too", data_file, tree.line, tree.text,
                    tree.text, cfg->path);
    collect_lines("tree", tree.text, &lines, list);
    free_lines(&lines);
    free(tree.text);
}
