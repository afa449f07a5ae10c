/* What text files have beside their text: a byte-order mark and carriage returns of other systems, blanks, comments. */
#ifndef TEXT_LINE_H
#define TEXT_LINE_H

/* Removes line ends (\n, \r\n) at the end of a line, and a UTF-8 byte-order mark at its beginning; in place. */
void strip_line_end(char *line);

/* The same, and all blanks and tabs at the end. */
void strip_line(char *line);

/* Leaves what counts of a line of a cfg or a .data file, in place: no blanks, wherever they stand, and no comment,
 * which begins with # or ; at the beginning or behind a blank. (Darknet took what stood behind a value for a part of
 * it.) */
void strip_cfg_line(char *line);

#endif
