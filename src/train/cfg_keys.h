/* The keys of a cfg that no layer has read. Darknet prints "Unused field" for each, in the middle of a long table, and
 * trains something else than what the cfg asks for.
 *
 * A key of this project that is misspelt, or stands in a section where it means nothing, ends the program with one
 * line. All others are listed behind the table of layers, with what is done in their place: those of other Darknets by
 * name.
 */
#ifndef CFG_KEYS_H
#define CFG_KEYS_H

#include "list.h"

/* Hook in read_cfg: ends the program with one line, where there is a key above the first section of the file. */
void refuse_without_section(const char *cfg, int line);

/* Hook in parse_network_cfg, when the keys of a section ("[yolo]") have been read. `index` is the number of the layer;
 * a negative one stands for [net]. */
void note_unused_keys(list *options, const char *section, int index);

/* Hook behind the last layer: prints on stderr what was noted, and forgets it and where the lines stand. */
void report_unused_keys(void);

/* -strict: from now on report_unused_keys ends the program with one line, where it prints anything. */
void cfg_keys_set_strict(int on);

#endif
