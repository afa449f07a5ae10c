/* The exit status of the program, which Darknet itself does not keep: it calls exit(0) after some errors. */
#ifndef EXIT_STATUS_H
#define EXIT_STATUS_H

/* From now on every end of the program has status 1 at least, unless expect_end or leave was called before. */
void guard_exit_status(void);

/* The program is about to end as it should, with the status that it will give to exit(). */
void expect_end(void);

/* Ends the program with this status; 0 stays 0, but where stdout could not be written. */
void leave(int status) __attribute__((noreturn));

#endif
