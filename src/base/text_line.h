/* What text files of other systems have beside their text: a byte-order mark, and carriage returns at the ends of
 * lines.
 */
#ifndef TEXT_LINE_H
#define TEXT_LINE_H

/* Removes line ends (\n, \r\n) at the end of a line, and a UTF-8 byte-order mark at its beginning; in place. */
void strip_line_end(char *line);

/* The same, and all blanks and tabs at the end. */
void strip_line(char *line);

#endif
