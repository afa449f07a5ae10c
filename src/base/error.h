/* Messages for the user: each is one line on stderr that starts with "darknet: ".
 *
 * report_error() is for functions whose caller can handle the error; die() is for errors that end the program. Formats
 * are those of printf, without a newline at the end.
 */
#ifndef ERROR_H
#define ERROR_H

#ifdef __GNUC__
#define PRINTF_FORMAT(text, first) __attribute__((format(printf, text, first))) /* argument positions, from 1 */
#define NO_RETURN __attribute__((noreturn))
#else
#define PRINTF_FORMAT(text, first)
#define NO_RETURN
#endif

/* Prints the line and ends the program with exit status 1. Any thread may call it, several at once as well: one line is
 * printed. */
NO_RETURN void die(const char *format, ...) PRINTF_FORMAT(1, 2);

/* Prints the line. Returns 1, so that a function can end with `return report_error(...)`. */
int report_error(const char *format, ...) PRINTF_FORMAT(1, 2);

/* Prints the line with "note: " before the text: for information that stops nothing. */
void report_note(const char *format, ...) PRINTF_FORMAT(1, 2);

/* Says whether a line on stderr has no end yet, as Darknet leaves it while it parses a cfg or loads weights: then the
 * next message ends it first. */
void note_open_line(int is_open);
#endif
