// What a view shows before anybody typed: of the program's own models a text that they learned from, of others what they
// write themselves, so that nothing in it is unknown to them.
import { post } from "./api.js";
import { asked, isOfWords, needsFirstSymbol } from "./models.js";
import { joined } from "./symbols.js";

const SENTENCE = "the king";
const VERSE = "In the beginning God created the heaven and the earth.";
const SHUFFLED = "heaven the God and beginning In earth. created the the";
const PASSAGE = `And the king said unto the men of the city, Go ye up and see the land.
And they went up by night (for the day was hot), and came unto the river.
Then spake the woman, saying, Who shall go before us in the morning?
And the servant answered and said, The way is long, and the water is bitter.
So they rose up early in the morning, and departed, and came to the mountain.`;

const REVIEWS = ["not bad at all , a moving film", "bad , not good at all"];
const WORDS = ["Anna sees the old house in Bonn"];

const VERSES = ["And the servant of the king believed in Jesus", "And the king said unto the men of the city, Go up"];

// Two texts to label, or the words to tag.
export function labelled(model) {
  if (model.twin) return VERSES;
  return model.task === "tag" ? WORDS : REVIEWS;
}

// A model that predicts nothing before its first symbol is given one.
export function prompt(model) {
  if (model.twin) return "And the king ";
  return needsFirstSymbol(model) ? model.symbols[0] : "";
}

export async function sentence(model) {
  return model.twin ? SENTENCE : firstLine(await written(model, 12, 6));
}

export async function passage(model) {
  return model.twin ? PASSAGE : written(model, 360, 120);
}

// A sentence, and its words in another order.
export async function pair(model) {
  if (model.twin) return [VERSE, SHUFFLED];
  const line = firstLine(await written(model, 60, 12));
  return [line, line.split(" ").reverse().join(" ")];
}

const known = new Map();

// About so many characters, or words, of the model's own, up to the end of a word. Where it cannot write, some of its
// symbols.
async function written(model, characters, words) {
  const length = isOfWords(model) ? words : characters;
  const beginning = prompt(model);
  const request = { ...asked(model), prompt: beginning, max_tokens: length, temperature: 0.6, seed: 1, logprobs: 0 };
  const key = JSON.stringify(request);
  if (known.has(key)) return known.get(key);
  try {
    const { tokens } = (await post("v1/completions", request)).choices[0].logprobs;
    known.set(key, wholeWords(beginning + joined(tokens), tokens.length === length && !isOfWords(model)));
  } catch {
    return model.symbols.join(isOfWords(model) ? " " : "");
  }
  return known.get(key) || model.symbols[0];
}

// The text without what stands around it, and where it was cut without the word that is not whole.
function wholeWords(text, isCut) {
  const whole = isCut ? text.replace(/\s+\S*$/, "") : text;
  return (whole.trim() === "" ? text : whole).trim();
}

function firstLine(text) {
  return text.split("\n", 1)[0];
}
