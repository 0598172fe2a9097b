#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/admin/nameset.h"

enum { MANY = 100000 };

/* The name that lies at `at` is its number; how often one was looked at. */
static unsigned looks;

static struct vmail_str
number(uint32_t at)
{
	static char text[16];

	return (struct vmail_str){ text,
		(size_t)snprintf(text, sizeof(text), "%u", at) };
}

static bool
same(const void *arg, uint32_t at, struct vmail_str name)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%u", at);

	(void)arg;
	looks++;
	return vmail_str_eq((struct vmail_str){ text, (size_t)n }, name);
}

static void
fill(struct vmail_nameset *set)
{
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t at = i;

		assert_int_equal(
		    vmail_nameset_add(set, number(i), same, NULL, &at),
		    VMAIL_NAMESET_NEW);
	}
}

static void
a_name_is_new_once_and_then_found_where_it_lies(void **state)
{
	struct vmail_nameset set = { 0 };

	(void)state;
	fill(&set);
	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t at = MANY, there = MANY;

		assert_int_equal(
		    vmail_nameset_add(&set, number(i), same, NULL, &at),
		    VMAIL_NAMESET_MET);
		assert_int_equal(at, i);
		assert_true(
		    vmail_nameset_find(&set, number(i), same, NULL, &there));
		assert_int_equal(there, i);
	}
	assert_int_equal(set.n, MANY);
	vmail_nameset_clear(&set);
}

static void
what_was_never_added_is_not_found(void **state)
{
	struct vmail_nameset set = { 0 };
	uint32_t at;

	(void)state;
	assert_false(vmail_nameset_find(&set, VMAIL_STR("0"), same, NULL, &at));
	fill(&set);
	assert_false(vmail_nameset_find(&set, number(MANY), same, NULL, &at));
	assert_false(vmail_nameset_find(&set, VMAIL_STR(""), same, NULL, &at));
	vmail_nameset_clear(&set);
	vmail_nameset_clear(&set);
}

/* Other names are told apart by their hashes, not by reading them. */
static void
names_are_hardly_ever_read(void **state)
{
	struct vmail_nameset set = { 0 };

	(void)state;
	looks = 0;
	fill(&set);
	assert_in_range(looks, 0, 100);
	vmail_nameset_clear(&set);
}

/* Whether or not the hint came true, and across a set that grows. */
static void
a_hint_changes_nothing_but_speed(void **state)
{
	struct vmail_nameset set = { 0 };
	uint32_t at = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		at = i;
		vmail_nameset_expect(&set, number(i % 2 ? i : i + 1));
		assert_int_equal(
		    vmail_nameset_add(&set, number(i), same, NULL, &at),
		    VMAIL_NAMESET_NEW);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		vmail_nameset_expect(&set, number(i % 2 ? i : 1000));
		assert_true(
		    vmail_nameset_find(&set, number(i), same, NULL, &at));
		assert_int_equal(at, i);
	}
	vmail_nameset_clear(&set);
}

/* Or somebody could choose names that all fall together. */
static void
each_set_has_a_key_of_its_own(void **state)
{
	struct vmail_nameset one = { 0 }, two = { 0 };

	(void)state;
	fill(&one);
	fill(&two);
	assert_memory_not_equal(one.key, two.key, sizeof(one.key));
	vmail_nameset_clear(&one);
	vmail_nameset_clear(&two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_name_is_new_once_and_then_found_where_it_lies),
		cmocka_unit_test(what_was_never_added_is_not_found),
		cmocka_unit_test(names_are_hardly_ever_read),
		cmocka_unit_test(a_hint_changes_nothing_but_speed),
		cmocka_unit_test(each_set_has_a_key_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
