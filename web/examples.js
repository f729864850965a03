// What a view shows before anybody typed.
import { isOfWords } from "./models.js";

export const VERSE = "In the beginning God created the heaven and the earth.";
export const SHUFFLED = "heaven the God and beginning In earth. created the the";

export const PASSAGE = `And the king said unto the men of the city, Go ye up and see the land.
And they went up by night (for the day was hot), and came unto the river.
Then spake the woman, saying, Who shall go before us in the morning?
And the servant answered and said, The way is long, and the water is bitter.
So they rose up early in the morning, and departed, and came to the mountain.`;

export function sentence(model) {
  return isOfWords(model) ? "and the king said unto them" : "the king said";
}

export function prompt(model) {
  return isOfWords(model) ? "and the king" : "And the king ";
}

export const REVIEWS = ["not bad at all , a moving film", "bad , not good at all"];
export const WORDS = "Anna sees the old house in Bonn";
