/* The one way to tell the user that something is wrong: one line on stderr that starts with "darknet: ".
 *
 * Functions of the library return an error where the caller can do something about it, and a command ends the program.
 * report_error() is for the first, die() for the second. Every format is printf's, without a line end. A format that
 * begins with a newline is for the places where Darknet has left a line of its own open (while it parses a cfg, or
 * loads weights): that line is ended first.
 */
#ifndef ERROR_H
#define ERROR_H

#ifdef __GNUC__
#define PRINTF_FORMAT(text, first) __attribute__((format(printf, text, first))) /* both count from 1 */
#define NO_RETURN __attribute__((noreturn))
#else
#define PRINTF_FORMAT(text, first)
#define NO_RETURN
#endif

/* Prints the line and ends the program with exit status 1. */
NO_RETURN void die(const char *format, ...) PRINTF_FORMAT(1, 2);

/* Prints the line. Returns 1, so that a function can end with `return report_error(...)`. */
int report_error(const char *format, ...) PRINTF_FORMAT(1, 2);

/* Prints the line with "note: " in front of the text: something that the user should know and that stops nothing. */
void report_note(const char *format, ...) PRINTF_FORMAT(1, 2);
#endif
