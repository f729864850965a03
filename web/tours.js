// The chapters of the tutorial: {title, chapter, stops: [{words, link}]}.
export const tours = [];
