// SPDX-License-Identifier: GPL-2.0
/* The word list (a firmware file, one word a line) and passphrases chosen from it. */
#include <linux/ctype.h>
#include <linux/firmware.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "mock-accel.h"

/* A list of 7,776 words has about 60 KB. */
#define MOCK_ACCEL_WORDLIST_MAX (1024 * 1024)

static void mock_accel_free_words(struct mock_accel_words *words)
{
	if (!words)
		return;
	kvfree(words->offsets);
	kvfree(words->text);
	kfree(words);
}

static u32 mock_accel_count_lines(const char *text, size_t size)
{
	u32 lines = 1;
	size_t i;

	for (i = 0; i < size; i++)
		lines += text[i] == '\n';
	return lines;
}

/* Splits the text into words: 0, or -EINVAL for a line that could not be part of a passphrase. */
static int mock_accel_split_words(struct mock_accel_words *words)
{
	char *cursor = words->text;
	char *line;

	while ((line = strsep(&cursor, "\n"))) {
		size_t length = strcspn(line, "\r");
		size_t i;

		line[length] = '\0';
		if (!length)
			continue;
		if (length > MOCK_ACCEL_WORD_MAX)
			return -EINVAL;
		for (i = 0; i < length; i++) {
			if (!isascii(line[i]) || !isgraph(line[i]))
				return -EINVAL;
		}
		words->offsets[words->count++] = line - words->text;
	}
	return words->count ? 0 : -EINVAL;
}

static struct mock_accel_words *mock_accel_parse_words(const struct firmware *firmware)
{
	struct mock_accel_words *words;
	int ret;

	if (firmware->size > MOCK_ACCEL_WORDLIST_MAX ||
	    memchr(firmware->data, '\0', firmware->size))
		return ERR_PTR(-EINVAL);

	words = kzalloc(sizeof(*words), GFP_KERNEL);
	if (!words)
		return ERR_PTR(-ENOMEM);
	words->size = firmware->size;
	words->text = kvmalloc(firmware->size + 1, GFP_KERNEL);
	words->offsets = kvcalloc(mock_accel_count_lines(firmware->data, firmware->size),
				  sizeof(*words->offsets), GFP_KERNEL);
	ret = -ENOMEM;
	if (!words->text || !words->offsets)
		goto free;

	memcpy(words->text, firmware->data, firmware->size);
	words->text[firmware->size] = '\0';
	ret = mock_accel_split_words(words);
	if (ret)
		goto free;
	return words;

free:
	mock_accel_free_words(words);
	return ERR_PTR(ret);
}

/*
 * Loads or reloads the list, from probe or sysfs (the PCI device is there). On failure the list
 * that was there stays.
 */
int mock_accel_load_words(struct mock_accel *mock)
{
	const struct firmware *firmware;
	struct mock_accel_words *words;
	int ret;

	ret = firmware_request_nowarn(&firmware, MOCK_ACCEL_WORDLIST, &mock->pdev->dev);
	if (ret)
		return ret;

	words = mock_accel_parse_words(firmware);
	release_firmware(firmware);
	if (IS_ERR(words))
		return PTR_ERR(words);

	mutex_lock(&mock->words_lock);
	swap(mock->words, words);
	mutex_unlock(&mock->words_lock);
	mock_accel_free_words(words);
	return 0;
}

void mock_accel_drop_words(struct mock_accel *mock)
{
	mock_accel_free_words(mock->words);
	mock->words = NULL;
}

/* Bytes of the loaded firmware, 0 when none is. */
size_t mock_accel_words_size(struct mock_accel *mock)
{
	size_t size;

	mutex_lock(&mock->words_lock);
	size = mock->words ? mock->words->size : 0;
	mutex_unlock(&mock->words_lock);
	return size;
}

u32 mock_accel_words_count(struct mock_accel *mock)
{
	u32 count;

	mutex_lock(&mock->words_lock);
	count = mock->words ? mock->words->count : 0;
	mutex_unlock(&mock->words_lock);
	return count;
}

/*
 * A number in 0..ceiling-1, each equally likely: draws from the incomplete last round of 2^32
 * are thrown away, as a plain remainder would favour small numbers. (get_random_u32_below()
 * does this too, since Linux 6.2.)
 */
static u32 mock_accel_random_below(u32 ceiling)
{
	u32 threshold = -ceiling % ceiling;
	u32 draw;

	do {
		draw = get_random_u32();
	} while (draw < threshold);
	return draw % ceiling;
}

/* Writes count words joined by hyphens: 0, or -ENOENT without a list. */
int mock_accel_choose_words(struct mock_accel *mock, unsigned int count, char *text, size_t size)
{
	const struct mock_accel_words *words;
	size_t used = 0;
	int ret = 0;

	mutex_lock(&mock->words_lock);
	words = mock->words;
	if (!words) {
		ret = -ENOENT;
		goto unlock;
	}
	text[0] = '\0';
	while (count--) {
		u32 choice = mock_accel_random_below(words->count);
		const char *word = words->text + words->offsets[choice];

		used += scnprintf(text + used, size - used, used ? "-%s" : "%s", word);
	}
unlock:
	mutex_unlock(&mock->words_lock);
	return ret;
}
