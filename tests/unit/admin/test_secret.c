#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/admin/secret.h"

static const char left[] = "left behind";

/* The block watched, and what stood in it when it was given back. */
static void *watched;
static char content[64];

extern void __libc_free(void *p);

/* Stands before the C library's own. */
void
free(void *p)
{
	if (p && p == watched)
		memcpy(content, p, sizeof(content));
	__libc_free(p);
}

static bool
is_zero(const void *p, size_t n)
{
	const char *bytes = p;

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

static void
a_password_may_hold_any_byte_but_nul_and_line_feed(void **state)
{
	struct vmail_secret s;
	char all[256];
	size_t n = 0;

	(void)state;
	for (int c = 1; c < 256; c++) {
		if (c != '\n')
			all[n++] = (char)c;
	}
	assert_int_equal(vmail_secret_set(&s, all, n, NULL), VMAIL_OK);
	assert_int_equal(s.len, n);
	assert_memory_equal(s.bytes, all, n);
	assert_int_equal(s.bytes[n], 0);
}

static void
what_is_no_password_is_refused_and_nothing_is_written(void **state)
{
	struct vmail_secret s = { 3, "abc" };
	struct vmail_err err;
	char text[VMAIL_SECRET_MAX + 1];

	(void)state;
	memset(text, 'p', sizeof(text));
	assert_int_equal(vmail_secret_set(&s, "", 0, &err), VMAIL_INVALID);
	assert_int_equal(vmail_secret_set(&s, NULL, 0, &err), VMAIL_INVALID);
	assert_int_equal(vmail_secret_set(&s, "a\0b", 3, &err), VMAIL_INVALID);
	assert_int_equal(vmail_secret_set(&s, "a\n", 2, &err), VMAIL_INVALID);
	assert_int_equal(
	    vmail_secret_set(&s, text, sizeof(text), &err), VMAIL_INVALID);
	assert_string_not_equal(err.what, "");
	assert_int_equal(s.len, 3);
	assert_string_equal(s.bytes, "abc");
	assert_int_equal(
	    vmail_secret_set(&s, text, sizeof(text) - 1, &err), VMAIL_OK);
}

static void
a_shorter_password_leaves_nothing_of_a_longer_one(void **state)
{
	struct vmail_secret s;

	(void)state;
	vmail_secret_set(&s, "a long password", 15, NULL);
	vmail_secret_set(&s, "short", 5, NULL);
	assert_true(is_zero(s.bytes + 5, sizeof(s.bytes) - 5));
}

static void
wiping_zeroes_every_byte(void **state)
{
	struct vmail_secret s;

	(void)state;
	memset(&s, 0xa5, sizeof(s));
	vmail_secret_wipe(&s);
	assert_true(is_zero(&s, sizeof(s)));
	vmail_secret_wipe(&s);
	vmail_secret_wipe(NULL);
}

static void *
hold_one(void *arg)
{
	VMAIL_SECRET s;

	(void)arg;
	assert_int_equal(
	    vmail_secret_set(&s, left, sizeof(left) - 1, NULL), VMAIL_OK);
	return NULL;
}

/* A thread on a stack of ours, to look at what it left there. */
static void
leaving_the_scope_wipes(void **state)
{
	static _Alignas(64) char stack[256 * 1024];
	pthread_attr_t attr;
	pthread_t thread;

	(void)state;
	pthread_attr_init(&attr);
	assert_int_equal(pthread_attr_setstack(&attr, stack, sizeof(stack)), 0);
	assert_int_equal(pthread_create(&thread, &attr, hold_one, NULL), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attr);
	assert_false(is_zero(stack, sizeof(stack)));
	assert_null(memmem(stack, sizeof(stack), left, sizeof(left) - 1));
}

static void
a_heap_block_is_wiped_before_it_is_freed(void **state)
{
	char *p = malloc(sizeof(content));

	(void)state;
	assert_non_null(p);
	memset(p, 's', sizeof(content));
	memset(content, 's', sizeof(content));
	watched = p;
	vmail_wipe_free(&p, sizeof(content));
	watched = NULL;
	assert_null(p);
	assert_true(is_zero(content, sizeof(content)));
	vmail_wipe_free(&p, sizeof(content));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_password_may_hold_any_byte_but_nul_and_line_feed),
		cmocka_unit_test(
		    what_is_no_password_is_refused_and_nothing_is_written),
		cmocka_unit_test(
		    a_shorter_password_leaves_nothing_of_a_longer_one),
		cmocka_unit_test(wiping_zeroes_every_byte),
		cmocka_unit_test(leaving_the_scope_wipes),
		cmocka_unit_test(a_heap_block_is_wiped_before_it_is_freed),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
