// The chapters of the tutorial: {title, chapter, stops: [{words, link, look}]}; JSON but for the first words. `look`
// selects what the words speak of.
export const tours = [
  {
    "title": "What a recurrent network is",
    "chapter": "docs/tutorial/1-recurrent-network.md",
    "stops": [
      {
        "words": "This network reads one letter at a time. The same small network stands in every column: only the letter and the state before differ.",
        "link": "#unrolled?model=tanh-twin&text=the+LORD",
        "look": "[aria-label='The network unrolled over the sentence']"
      },
      {
        "words": "Point at U, W or V: all its copies light up, for there is only one of each. The counter beside them tells how often it is used.",
        "link": "#unrolled?model=tanh-twin&text=the+LORD",
        "look": ".shared"
      },
      {
        "words": "The sentence is longer now, and the number of parameters is not. Type a sentence of your own and watch the counter stand still.",
        "link": "#unrolled?model=tanh-twin&text=the+LORD+is+my+shepherd",
        "look": ".view .controls"
      },
      {
        "words": "One step in numbers: what the input adds, what the old state adds, the bias, their sum, and the curve that squashes it.",
        "link": "#unrolled?model=tanh-twin&text=the+LORD&at=4",
        "look": "[aria-label='The state of this step, in numbers']"
      },
      {
        "words": "Two words that end in the same letter. The input of the last step is the same as in the next stop; compare the bars of the old state.",
        "link": "#unrolled?model=tanh-twin&text=childr&at=6&unit=54%2C12%2C30%2C48%2C14%2C40",
        "look": "[aria-label='The state of this step, in numbers']"
      },
      {
        "words": "The last letter read is again r, the state is another, and so is the prediction: e had 93% before, and has 40% here. That is a memory.",
        "link": "#unrolled?model=tanh-twin&text=the+r&at=5&unit=54%2C12%2C30%2C48%2C14%2C40",
        "look": "[aria-label='The state of this step, in numbers']"
      }
    ]
  },
  {
    "title": "A language model, from text to writing",
    "chapter": "docs/tutorial/2-language-model.md",
    "stops": [
      {
        "words": "A letter enters as a list of zeros with a single one. Multiplying a table by it means looking up one row.",
        "link": "#unrolled?model=gru-twin&text=My+brethren%2C+count&at=17",
        "look": "[aria-label='The input of this step']"
      },
      {
        "words": "Out comes one number for each symbol. Exponentials make them positive, and dividing by their sum makes them probabilities; the line marks what a blind guess would cost.",
        "link": "#unrolled?model=gru-twin&text=My+brethren%2C+count&at=17",
        "look": "[aria-label='The prediction of this step']"
      },
      {
        "words": "The same logits at temperature 2: the shares move towards each other. Move the slider to 0 and all goes to the most probable symbol.",
        "link": "#unrolled?model=gru-twin&text=My+brethren%2C+count&at=17&temperature=2",
        "look": ".step .controls"
      },
      {
        "words": "A verse and its words in another order. Colours say how surprising each letter was; the two lines add it up.",
        "link": "#read?model=gru-twin&text=If+any+of+you+lack+wisdom%2C+let+him+ask+of+God&second=of+wisdom%2C+ask+God+you+of+let+any+him+lack+If",
        "look": ".view .beside"
      },
      {
        "words": "Writing is predicting and throwing a die: the symbol under which it falls is written. Step through the text with the arrow keys.",
        "link": "#write?model=gru-twin&text=And+&seed=2&length=120&temperature=1",
        "look": ".view .beside"
      },
      {
        "words": "The same die at temperature 0.5: timid, but it spells better. The same seed always writes the same text.",
        "link": "#write?model=gru-twin&text=And+&seed=2&length=120&temperature=0.5",
        "look": ".view .beside"
      },
      {
        "words": "Many texts begin alike and then part. Choose another symbol anywhere, and the model goes on from there.",
        "link": "#write?model=gru-twin&text=And+he+said+&seed=1&length=60&count=10",
        "look": "[aria-label=Continuations]"
      }
    ]
  },
  {
    "title": "Backpropagation through time",
    "chapter": "docs/tutorial/3-backpropagation.md",
    "stops": [
      {
        "words": "Press Play: the network first reads forwards, then the gradient of the last prediction goes back. Thick arrows are large gradients.",
        "link": "#unrolled?model=tanh-twin&text=the+LORD+said",
        "look": ".view .bar"
      },
      {
        "words": "Cut the way back after 4 steps. What lies before the cut cannot be learned from this prediction.",
        "link": "#unrolled?model=tanh-twin&text=the+LORD+said&truncate=4",
        "look": ".view .bar"
      },
      {
        "words": "The same as a curve, over many predictions of a text. The scale is logarithmic, so a straight line down means the same share is lost at each step.",
        "link": "#gradients?model=tanh-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&beside=&lags=60",
        "look": "[aria-label='Gradients by lag']"
      },
      {
        "words": "Before training, the radius of W decides. At 0.6 a hundred-thousandth of the gradient of the tanh network is left after 20 steps.",
        "link": "#gradients?model=tanh-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&beside=&lags=60&radius=0.6",
        "look": "[aria-labelledby=untrained]"
      },
      {
        "words": "At 1.7 more than half of it arrives, and at 2.5 it has grown more than tenfold: gradients explode. That it takes so much is due to the curve of tanh, which is flat for large sums.",
        "link": "#gradients?model=tanh-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&beside=&lags=60&radius=1.7",
        "look": "[aria-labelledby=untrained]"
      },
      {
        "words": "How much of the gradient of the weights is left when training goes back 4 steps only? Move the slider.",
        "link": "#gradients?model=tanh-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&beside=&lags=60&truncate=4",
        "look": "[aria-labelledby=truncation]"
      }
    ]
  },
  {
    "title": "LSTM and GRU",
    "chapter": "docs/tutorial/4-lstm-and-gru.md",
    "stops": [
      {
        "words": "Three networks of one size, trained alike on the same text. The gradients of those with gates reach further back.",
        "link": "#gradients?model=lstm-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&beside=gru-twin%2Ctanh-twin&lags=100",
        "look": "[aria-label='Gradients by lag']"
      },
      {
        "words": "Untrained, an LSTM without forget bias forgets as fast as the simple network.",
        "link": "#gradients?model=lstm-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&beside=gru-twin%2Ctanh-twin&lags=100&forget=0",
        "look": "[aria-labelledby=untrained]"
      },
      {
        "words": "With a forget bias of 3 its gates start almost open: more than a tenth of the gradient is left after 60 steps.",
        "link": "#gradients?model=lstm-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&beside=gru-twin%2Ctanh-twin&lags=100&forget=3",
        "look": "[aria-labelledby=untrained]"
      },
      {
        "words": "Each row is a unit, each column a letter. Which units of the LSTM know whether a bracket is open?",
        "link": "#neurons?model=lstm-twin&text=%28for+he+that+wavereth+is+like+a+wave+of+the+sea+driven+with%0Athe+wind+and+tossed%29+let+not+that+man+think+that+he+shall%0Areceive+any+thing+%28of+the+Lord%29.%0A&feature=brackets",
        "look": ".found"
      },
      {
        "words": "The simple network cannot keep a bracket in mind: none of its units follows it.",
        "link": "#neurons?model=tanh-twin&text=%28for+he+that+wavereth+is+like+a+wave+of+the+sea+driven+with%0Athe+wind+and+tossed%29+let+not+that+man+think+that+he+shall%0Areceive+any+thing+%28of+the+Lord%29.%0A&feature=brackets",
        "look": ".found"
      },
      {
        "words": "A unit that counts the letters of a line knows when the next line end is due. Click on a row to see the gates of its unit.",
        "link": "#neurons?model=gru-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&feature=line",
        "look": "[aria-label='Units over the text']"
      },
      {
        "words": "One step of the LSTM in numbers: four gates, each a small network of its own.",
        "link": "#unrolled?model=lstm-twin&text=the+LORD&at=4",
        "look": "[aria-label='The state of this step, in numbers']"
      }
    ]
  },
  {
    "title": "What a network can be asked",
    "chapter": "docs/tutorial/5-tasks.md",
    "stops": [
      {
        "words": "A language model answers at every step. Its question is always the same: what comes next?",
        "link": "#unrolled?model=gru-twin&text=count+it+all+joy",
        "look": "[aria-label='The network unrolled over the sentence']"
      },
      {
        "words": "Read off at every step, the same states say how probable a text is.",
        "link": "#read?model=gru-twin&text=If+any+of+you+lack+wisdom%2C+let+him+ask+of+God",
        "look": ".view .beside"
      },
      {
        "words": "Asked at the end only, a network classifies: this one tells verses of the old testament from those of the new. From king on it says old, until the last word: its answer is what it says then, new with 92%.",
        "link": "#answers?model=testament-twin&text=And+the+servant+of+the+king+believed+in+Jesus&second=",
        "look": ".view"
      },
      {
        "words": "An answer at the end still has a gradient at every word before. Where it vanishes, the first words cannot be learned; the picture says how much of it reaches the first one.",
        "link": "#gradients?model=testament-twin&text=And+the+servant+of+the+king+believed+in+Jesus&lags=20",
        "look": "[aria-label='Gradients by lag']"
      },
      {
        "words": "So pooling gives the answer a short way to each step. Compare how little the long way leaves.",
        "link": "#gradients?model=gru-twin&text=James%2C+a+servant+of+God+and+of+the+Lord+Jesus+Christ%2C+to%0Athe+twelve+tribes+which+are+scattered+abroad%2C+greeting.%0AMy+brethren%2C+count+it+all+joy+when+ye+fall+into+divers%0Atemptations%3B%0A&lags=60",
        "look": "[aria-label='Gradients by lag']"
      }
    ]
  }
];
